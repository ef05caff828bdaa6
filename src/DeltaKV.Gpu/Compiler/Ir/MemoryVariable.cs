namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>A declared array in shared or local memory. With 0 bytes: the dynamic shared memory of the launch.</summary>
internal sealed record MemoryVariable(string Name, AddressSpace Space, int Bytes, int Alignment);
