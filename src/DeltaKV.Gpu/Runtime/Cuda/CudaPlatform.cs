using System.Runtime.InteropServices;

namespace DeltaKV.Gpu.Runtime.Cuda;

/// <summary>Finds and initialises the driver once per process, and says why when it cannot.</summary>
internal static class CudaPlatform
{
    /// <summary>CUDA 11.8, the first driver that knows compute capability 9.0 and PTX 7.8.</summary>
    private const int OldestDriver = 11080;
    private static readonly Lazy<(CudaUnavailableException? Problem, CudaDevice[] Devices)> State = new(Initialize);

    /// <summary>The devices of this machine, or the reason why there is none.</summary>
    internal static CudaUnavailableException? TryGetDevices(out IReadOnlyList<CudaDevice> devices)
    {
        devices = State.Value.Devices;
        return State.Value.Problem;
    }

    private static (CudaUnavailableException? Problem, CudaDevice[] Devices) Initialize()
    {
        NativeLibrary.SetDllImportResolver(typeof(CudaDriver).Assembly, CudaDriver.Resolve);
        try
        {
            var result = CudaDriver.Init(0);
            if (result == CudaResult.NoDevice)
                return Unavailable(CudaUnavailableReason.NoDevice, "The NVIDIA driver is installed but sees no GPU; check nvidia-smi and CUDA_VISIBLE_DEVICES.");
            if (result != CudaResult.Success)
                return Unavailable(CudaUnavailableReason.InitializationFailed, $"The NVIDIA driver could not be initialised: {CudaException.Describe(result)}. Check nvidia-smi.");
            CudaException.ThrowIfFailed(CudaDriver.DriverGetVersion(out var version), "cuDriverGetVersion");
            if (version < OldestDriver)
                return Unavailable(CudaUnavailableReason.DriverTooOld, $"The NVIDIA driver supports CUDA {Version(version)}; {Version(OldestDriver)} or newer is needed. Update the driver.");
            CudaException.ThrowIfFailed(CudaDriver.DeviceGetCount(out var count), "cuDeviceGetCount");
            return count == 0
                ? Unavailable(CudaUnavailableReason.NoDevice, "The NVIDIA driver is installed but sees no GPU; check nvidia-smi and CUDA_VISIBLE_DEVICES.")
                : (null, [.. Enumerable.Range(0, count).Select(ordinal => new CudaDevice(ordinal, version)).Where(device => device.ComputeCapability >= new System.Version(8, 0))]);
        }
        catch (DllNotFoundException exception)
        {
            return Unavailable(
                CudaUnavailableReason.LibraryNotFound,
                $"The NVIDIA driver library ({(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1")}) was not found: install the NVIDIA driver, or in a container pass the GPU through.",
                exception);
        }
        catch (Exception exception) when (exception is EntryPointNotFoundException or CudaException or BadImageFormatException)
        {
            return Unavailable(CudaUnavailableReason.InitializationFailed, $"The NVIDIA driver could not be used: {exception.Message}", exception);
        }
    }

    private static (CudaUnavailableException? Problem, CudaDevice[] Devices) Unavailable(CudaUnavailableReason reason, string message, Exception? inner = null) =>
        (new CudaUnavailableException(reason, message, inner), []);

    private static string Version(int version) => $"{version / 1000}.{version % 1000 / 10}";
}
