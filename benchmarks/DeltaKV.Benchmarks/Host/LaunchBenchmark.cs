using BenchmarkDotNet.Attributes;
using DeltaKV.Gpu;
using DeltaKV.Gpu.Runtime.Cuda;

namespace DeltaKV.Benchmarks.Host;

/// <summary>The host side of a launch of an empty kernel: ours and the driver call alone. Batches of 200 are waited for, so the queue never fills.</summary>
public unsafe class LaunchBenchmark : IDisposable
{
    private const int Batch = 200;
    private Context context = null!;
    private Accelerator accelerator = null!;
    private AcceleratorStream stream = null!;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, int> launch = null!;
    private MemoryBuffer1D<float, Stride1D.Dense> buffer = null!;
    private nint function;

    [GlobalSetup]
    public void Setup()
    {
        context = Context.CreateDefault();
        accelerator = context.GetPreferredDevice(preferCPU: false).CreateAccelerator(context);
        stream = accelerator.CreateStream();
        launch = accelerator.LoadKernel<ArrayView<float>, int>(Empty);
        buffer = accelerator.Allocate1D<float>(1);
        if (launch.GetKernel() is CudaKernel kernel)
            function = kernel.Function;
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public void Launch()
    {
        for (var i = 0; i < Batch; i++)
            launch(stream, new KernelConfig(1, 32), buffer.View, i);
        stream.Synchronize();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Batch)]
    public void DriverCall()
    {
        ArrayView<float> view = buffer.View;
        var value = 0;
        var arguments = stackalloc void*[2] { &view, &value };
        for (; function != 0 && value < Batch; value++)
        {
            _ = CudaDriver.LaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, stream.Handle, arguments, null);
        }

        stream.Synchronize();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        buffer.Dispose();
        stream.Dispose();
        accelerator.Dispose();
        context.Dispose();
        GC.SuppressFinalize(this);
    }

    private static void Empty(ArrayView<float> target, int value)
    {
        if (value < 0)
            target[0] = value;
    }
}
