using System.Text;
using DeltaKV.Gpu.Compiler;

namespace DeltaKV.Gpu.Runtime.Cuda;

/// <summary>Turns PTX into a loaded module with the driver's assembler, by way of the cubin cache.</summary>
internal static unsafe class CudaJit
{
    private const int PtxInput = 1;
    private const int AcceleratedTarget = 0x10000;
    private const int LogBytes = 64 << 10;

    /// <summary>The device's own architecture; Hopper and Blackwell with their architecture-specific instructions where the driver takes them.</summary>
    internal static string TargetFor(Version capability, int driverVersion)
    {
        var number = (capability.Major * 10) + capability.Minor;
        var oldestForAccelerated = number switch { 90 => 12000, >= 100 => 12080, _ => int.MaxValue };
        return $"sm_{number}{(driverVersion >= oldestForAccelerated ? "a" : "")}";
    }

    /// <summary>Loads a kernel's module. <paramref name="log"/> is what the assembler said, empty for a cached kernel.</summary>
    internal static nint Load(CudaAccelerator accelerator, CompiledKernel compiled, CubinCache? cache, out string log)
    {
        var device = (CudaDevice)accelerator.Device;
        var key = CubinCache.KeyOf(compiled.Ptx, device.Target, device.DriverVersion);
        log = "";
        if (cache?.TryRead(key) is { } cached && LoadImage(cached, out var module, out _) == CudaResult.Success)
            return module;

        var ptx = Encoding.UTF8.GetBytes(compiled.Ptx + "\0");
        if (Link(ptx, device.Target, out var cubin, out log) == CudaResult.Success && LoadImage(cubin, out module, out _) == CudaResult.Success)
        {
            cache?.Write(key, cubin);
            return module;
        }

        // The linker takes fewer targets than the loader on some drivers; what the loader says is what counts.
        var result = LoadImage(ptx, out module, out log);
        return result == CudaResult.Success
            ? module
            : throw new KernelLoadException(
                $"Kernel {compiled.DisplayName} could not be loaded on {accelerator.Name} for {device.Target}: {CudaException.Describe(result)}.\n{log}",
                accelerator.Failure(result, "cuModuleLoadDataEx"));
    }

    private static CudaResult LoadImage(byte[] image, out nint module, out string log)
    {
        fixed (byte* pointer = image)
        {
            using var options = new JitOptions(LogBytes);
            var result = CudaDriver.ModuleLoadData(out module, pointer, options.Count, options.Names, options.Values);
            log = options.Log;
            return result;
        }
    }

    private static CudaResult Link(byte[] ptx, string target, out byte[] cubin, out string log)
    {
        cubin = [];
        using var options = new JitOptions(LogBytes);
        options.Add(JitOption.Target, TargetCode(target));
        options.Add(JitOption.LogVerbose, 1);
        options.Add(JitOption.GenerateLineInfo, 1);
        var result = CudaDriver.LinkCreate(options.Count, options.Names, options.Values, out var state);
        if (result == CudaResult.Success)
        {
            fixed (byte* pointer = ptx)
                result = CudaDriver.LinkAddData(state, PtxInput, pointer, (nuint)ptx.Length, null, 0, null, null);
            if (result == CudaResult.Success)
                result = CudaDriver.LinkComplete(state, out var image, out var bytes) is var completed && completed == CudaResult.Success
                    ? Copy(image, bytes, out cubin)
                    : completed;
            _ = CudaDriver.LinkDestroy(state);
        }

        log = options.Log;
        return result;
    }

    private static CudaResult Copy(byte* image, nuint bytes, out byte[] cubin)
    {
        cubin = new ReadOnlySpan<byte>(image, (int)bytes).ToArray();
        return CudaResult.Success;
    }

    private static int TargetCode(string target) =>
        target.EndsWith('a')
            ? AcceleratedTarget + int.Parse(target.AsSpan(3, target.Length - 4), System.Globalization.CultureInfo.InvariantCulture)
            : int.Parse(target.AsSpan(3), System.Globalization.CultureInfo.InvariantCulture);
}
