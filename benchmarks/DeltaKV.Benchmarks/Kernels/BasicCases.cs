using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Basic;

namespace DeltaKV.Benchmarks.Kernels;

/// <summary>The first kernel family, and the driver's copy they are measured against.</summary>
internal static class BasicCases
{
    /// <summary>The row every share refers to.</summary>
    internal const string DriverCopy = "driver copy 1 GiB";

    internal static IEnumerable<KernelCase> All()
    {
        const long copied = 1L << 30;
        const long numbers = 64L << 20;
        yield return new(DriverCopy, 2.0 * copied, 0, 1, arena =>
        {
            var (x, y) = (arena.BFloat16s(copied / 2), arena.BFloat16s(copied / 2));
            return _ => x.CopyTo(arena.Stream, y);
        });
        yield return new("copy 1 GiB", 2.0 * copied, 0, 1, arena =>
        {
            var (x, y) = (arena.BFloat16s(copied / 2).Cast<UInt4>(), arena.BFloat16s(copied / 2).Cast<UInt4>());
            var kernel = new CopyKernel(arena.Accelerator);
            return _ => kernel.Launch(arena.Stream, x, y);
        });
        yield return new("axpy 64M", 12.0 * numbers, 0, 2, arena =>
        {
            var (x, y) = (arena.Singles(numbers).Cast<Float4>(), arena.Singles(numbers).Cast<Float4>());
            var kernel = new AxpyKernel(arena.Accelerator);
            return _ => kernel.Launch(arena.Stream, 1.7f, x, y);
        });
        yield return new("reduction 64M", 4.0 * numbers, 0, 2, arena =>
        {
            var (x, partial, result) = (arena.Singles(numbers).Cast<Float4>(), arena.Singles(ReductionKernel.MaxGroups), arena.Singles(4));
            var kernel = new ReductionKernel(arena.Accelerator);
            return _ => kernel.Launch(arena.Stream, x, partial, result);
        });
        yield return new("softmax 2048x32768", 8.0 * numbers, 0, 2, arena =>
        {
            var (x, y) = (arena.Singles(numbers), arena.Singles(numbers));
            var kernel = new SoftmaxKernel(arena.Accelerator);
            return _ => kernel.Launch(arena.Stream, x, y, 2048, 32768);
        });
        yield return new("transpose 8192x8192", 8.0 * numbers, 0, 2, arena =>
        {
            var (x, y) = (arena.Singles(numbers), arena.Singles(numbers));
            var kernel = new TransposeKernel(arena.Accelerator);
            return _ => kernel.Launch(arena.Stream, x, y, 8192, 8192);
        });
        yield return new("rmsnorm 8192x4096", 4.0 * 8192 * 4096, 0, 4, arena =>
        {
            var (x, weight, y) = (arena.BFloat16s(8192 * 4096), arena.BFloat16s(4096), arena.BFloat16s(8192 * 4096));
            var kernel = new RmsNormKernel(arena.Accelerator);
            return _ => kernel.Launch(arena.Stream, x, weight, y, 8192, 4096, 1e-5f);
        });
        yield return new("rmsnorm add 8192x4096", 8.0 * 8192 * 4096, 0, 4, arena =>
        {
            var (x, delta, weight, y) = (arena.BFloat16s(8192 * 4096), arena.BFloat16s(8192 * 4096), arena.BFloat16s(4096), arena.BFloat16s(8192 * 4096));
            var kernel = new RmsNormKernel(arena.Accelerator);
            return _ => kernel.LaunchAdd(arena.Stream, x, delta, weight, y, 8192, 4096, 1e-5f);
        });
    }
}
