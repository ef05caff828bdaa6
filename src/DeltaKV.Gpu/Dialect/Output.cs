namespace DeltaKV.Gpu;

/// <summary>A result of inline PTX.</summary>
/// <typeparam name="T">A number.</typeparam>
public struct Output<T> : ICudaAsmEmitParameter
    where T : struct
{
    /// <summary>The number.</summary>
    public T Value;
}
