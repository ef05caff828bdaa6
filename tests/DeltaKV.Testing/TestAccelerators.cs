using System.Collections.Concurrent;
using DeltaKV.Gpu;

namespace DeltaKV.Testing;

/// <summary>
/// The accelerators tests share: the CPU with and without sanitizer, or the GPU alone when <c>DELTAKV_DEVICE=cuda</c>, or the CPU alone with
/// kernels compiled for another target when <c>DELTAKV_TARGET=sm_80</c>, say.
/// </summary>
public static class TestAccelerators
{
    private static readonly Context Context = Context.Create(builder => builder.AllAccelerators().Sanitizer());
    private static readonly ConcurrentDictionary<TestDevice, Lazy<Accelerator>> Open = new();

    /// <summary>Whether this run is for the GPU.</summary>
    public static bool UseCuda => string.Equals(Environment.GetEnvironmentVariable("DELTAKV_DEVICE"), "cuda", StringComparison.OrdinalIgnoreCase);

    private static string? Target => Environment.GetEnvironmentVariable("DELTAKV_TARGET");

    /// <summary>The devices of this run.</summary>
    public static IReadOnlyList<TestDevice> Devices => UseCuda ? [TestDevice.Cuda] : Target is null ? [TestDevice.Cpu, TestDevice.Sanitizer] : [TestDevice.Cpu];

    /// <summary>The fast device of this run, for tests that need only one.</summary>
    public static Accelerator Default => Get(Devices[0]);

    /// <summary>The shared accelerator of a device. Do not dispose it.</summary>
    public static Accelerator Get(TestDevice device) => Open.GetOrAdd(device, static device => new Lazy<Accelerator>(() => Create(device))).Value;

    /// <summary>An accelerator of its own, for tests that dispose it or set limits.</summary>
    public static Accelerator Create(TestDevice device) => device switch
    {
        TestDevice.Cpu => (Target is null ? CPUDevice.Default : new CPUDevice(target: Target)).CreateAccelerator(Context),
        TestDevice.Sanitizer => CPUDevice.Sanitizer.CreateAccelerator(Context),
        _ => Context.CreateCudaAccelerator(0),
    };
}
