namespace DeltaKV.Gpu.Tests.Runtime;

/// <summary>Errors planted in C# kernels are found on the sanitizing accelerator, with the C# line.</summary>
public class SanitizerTests
{
    private static Accelerator Sanitizer => TestAccelerators.Get(TestDevice.Sanitizer);

    [Fact]
    public void A_write_past_the_end_is_found()
    {
        using var buffer = Sanitizer.Allocate1D<int>(100);
        var found = Assert.Throws<KernelSanitizerException>(
            () => Sanitizer.LoadStreamKernel<ArrayView<int>>(PastTheEndKernel)((1, 128), buffer.View));

        Assert.Contains(nameof(PastTheEndKernel), found.Kernel, StringComparison.Ordinal);
        Assert.Contains("SanitizerTests.cs", found.SourceLocation, StringComparison.Ordinal);
        Assert.Contains("thread (100, 0, 0)", found.Place, StringComparison.Ordinal);
    }

    [Fact]
    public void A_race_in_shared_memory_is_found()
    {
        using var buffer = Sanitizer.Allocate1D<int>(128);

        Assert.Throws<KernelSanitizerException>(() => Sanitizer.LoadStreamKernel<ArrayView<int>>(RaceKernel)((1, 128), buffer.View));
        Sanitizer.LoadStreamKernel<ArrayView<int>>(NoRaceKernel)((1, 128), buffer.View);
        Assert.Equal(Enumerable.Range(0, 128).Select(i => (i + 1) % 128), buffer.GetAsArray1D());
    }

    [Fact]
    public void A_divergent_barrier_is_found()
    {
        using var buffer = Sanitizer.Allocate1D<int>(64);

        Assert.Throws<KernelSanitizerException>(() => Sanitizer.LoadStreamKernel<ArrayView<int>>(DivergentKernel)((1, 64), buffer.View));
    }

    [Fact]
    public void A_read_of_undefined_shared_memory_is_found()
    {
        using var buffer = Sanitizer.Allocate1D<int>(64);

        Assert.Throws<KernelSanitizerException>(() => Sanitizer.LoadStreamKernel<ArrayView<int>>(UndefinedKernel)((1, 64), buffer.View));
    }

    private static void PastTheEndKernel(ArrayView<int> values) => values[Group.IdxX] = 1;

    private static void RaceKernel(ArrayView<int> values)
    {
        var shared = SharedMemory.Allocate<int>(128);
        shared[Group.IdxX] = Group.IdxX;
        values[Group.IdxX] = shared[(Group.IdxX + 1) % 128];
    }

    private static void NoRaceKernel(ArrayView<int> values)
    {
        var shared = SharedMemory.Allocate<int>(128);
        shared[Group.IdxX] = Group.IdxX;
        Group.Barrier();
        values[Group.IdxX] = shared[(Group.IdxX + 1) % 128];
    }

    private static void DivergentKernel(ArrayView<int> values)
    {
        if (Group.IdxX < 10)
            Group.Barrier();
        values[Group.IdxX] = 1;
    }

    private static void UndefinedKernel(ArrayView<int> values)
    {
        var shared = SharedMemory.Allocate<int>(64);
        if (Group.IdxX != 63)
            shared[Group.IdxX] = 1;
        Group.Barrier();
        values[Group.IdxX] = shared[Group.IdxX];
    }
}
