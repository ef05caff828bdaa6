using BenchmarkDotNet.Attributes;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Gemm;

namespace DeltaKV.Benchmarks.Host;

/// <summary>The CPU accelerator on a GEMV of scalar instructions and on matrix products through mma. Rates: work per invocation over time.</summary>
public class EmulatorBenchmark : IDisposable
{
    private const int Size = 1024;
    private Context context = null!;
    private Accelerator accelerator = null!;
    private Linear linear = null!;
    private Action<AcceleratorStream, KernelConfig, ArrayView<BFloat16x8>, ArrayView<BFloat16x8>, ArrayView<float>> gemv = null!;
    private MemoryBuffer1D<BFloat16, Stride1D.Dense> x = null!;
    private MemoryBuffer1D<BFloat16, Stride1D.Dense> weight = null!;
    private MemoryBuffer1D<BFloat16, Stride1D.Dense> y = null!;
    private MemoryBuffer1D<float, Stride1D.Dense> singles = null!;

    [GlobalSetup]
    public void Setup()
    {
        context = Context.Create(builder => builder.CPU());
        accelerator = context.GetPreferredDevice(preferCPU: true).CreateAccelerator(context);
        linear = new(accelerator);
        gemv = accelerator.LoadKernel<ArrayView<BFloat16x8>, ArrayView<BFloat16x8>, ArrayView<float>>(Gemv);
        x = accelerator.Allocate1D<BFloat16>(Size * Size);
        weight = accelerator.Allocate1D<BFloat16>(Size * Size);
        y = accelerator.Allocate1D<BFloat16>(Size * Size);
        singles = accelerator.Allocate1D<float>(Size);
        x.MemSetToZero();
        weight.MemSetToZero();
    }

    /// <summary>Size^2 multiply-adds at about 2.6 lane-instructions each.</summary>
    [Benchmark]
    public void ScalarGemv()
    {
        gemv(accelerator.DefaultStream, new KernelConfig(Size / 4, 128), weight.View.BaseView.Cast<BFloat16x8>(), x.View.BaseView.Cast<BFloat16x8>(), singles.View);
        accelerator.Synchronize();
    }

    /// <summary>2 * 256 * Size^2 operations.</summary>
    [Benchmark]
    public void MatrixProduct()
    {
        linear.Launch(accelerator.DefaultStream, x.View, weight.View, y.View, 256, Size, Size);
        accelerator.Synchronize();
    }

    /// <summary>2 * 8 * Size^2 useful operations: decode of one token wastes 7 of 8.</summary>
    [Benchmark]
    public void SkinnyProduct()
    {
        linear.Launch(accelerator.DefaultStream, x.View, weight.View, y.View, 8, Size, Size);
        accelerator.Synchronize();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        x.Dispose();
        weight.Dispose();
        y.Dispose();
        singles.Dispose();
        accelerator.Dispose();
        context.Dispose();
        GC.SuppressFinalize(this);
    }

    private static void Gemv(ArrayView<BFloat16x8> weight, ArrayView<BFloat16x8> x, ArrayView<float> y)
    {
        var row = (Grid.IdxX * 4) + (Group.IdxX >> 5);
        var sum = 0f;
        for (var i = Warp.LaneIdx; i < Size / 8; i += 32)
            sum = weight[(row * (Size / 8)) + i].Dot(x[i], sum);
        sum = WarpReduce.Sum(sum);
        if (Warp.IsFirstLane)
            y[row] = sum;
    }
}
