namespace DeltaKV.Gpu;

/// <summary>What <c>CudaAsm.EmitRef</c> takes: <see cref="Input{T}"/>, <see cref="Output{T}"/>, <see cref="Ref{T}"/>.</summary>
public interface ICudaAsmEmitParameter;
