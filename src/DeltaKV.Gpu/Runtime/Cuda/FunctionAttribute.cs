namespace DeltaKV.Gpu.Runtime.Cuda;

/// <summary>The function attributes that are read and set (<c>CUfunction_attribute</c>).</summary>
internal enum FunctionAttribute
{
    MaxThreadsPerBlock = 0,
    SharedSizeBytes = 1,
    LocalSizeBytes = 3,
    RegisterCount = 4,
    MaxDynamicSharedSizeBytes = 8,
    PreferredSharedMemoryCarveout = 9,
}
