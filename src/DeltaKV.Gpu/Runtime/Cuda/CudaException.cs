using System.Runtime.InteropServices;
using DeltaKV.Gpu.Runtime.Cuda;

namespace DeltaKV.Gpu;

/// <summary>A call of the CUDA driver failed.</summary>
public sealed class CudaException : AcceleratorException
{
    internal CudaException(CudaResult result, string call)
        : base($"{call} failed: {Describe(result)}.", null)
    {
        ErrorCode = (int)result;
        Result = result;
    }

    /// <summary>The driver's error code.</summary>
    public int ErrorCode { get; }

    internal CudaResult Result { get; }

    internal static void ThrowIfFailed(CudaResult result, string call)
    {
        if (result != CudaResult.Success)
            throw new CudaException(result, call);
    }

    internal static unsafe string Describe(CudaResult result)
    {
        var named = CudaDriver.GetErrorName(result, out var name) == CudaResult.Success ? Marshal.PtrToStringUTF8((nint)name) : null;
        var explained = CudaDriver.GetErrorString(result, out var text) == CudaResult.Success ? Marshal.PtrToStringUTF8((nint)text) : null;
        return $"{named ?? "error"} ({(int)result}): {explained ?? "unknown to this driver"}";
    }
}
