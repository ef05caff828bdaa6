namespace DeltaKV.Gpu.Runtime.Cuda;

/// <summary>The options of the driver's assembler that are used (<c>CUjit_option</c>).</summary>
internal enum JitOption
{
    InfoLogBuffer = 3,
    InfoLogBufferSizeBytes = 4,
    ErrorLogBuffer = 5,
    ErrorLogBufferSizeBytes = 6,
    Target = 9,
    LogVerbose = 12,
    GenerateLineInfo = 13,
}
