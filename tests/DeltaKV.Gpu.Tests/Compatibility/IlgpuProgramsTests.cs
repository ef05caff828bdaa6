using Compatibility;

namespace DeltaKV.Gpu.Tests.Compatibility;

public class IlgpuProgramsTests
{
    [Theory, AcceleratorData(1), AcceleratorData(1000)]
    public void A_struct_and_math_kernel_runs(TestDevice device, int length)
    {
        var input = Enumerable.Range(0, length).Select(i => (float)i - 10).ToArray();

        Assert.Equal(input.Select(x => MathF.Max((2 * x) + 1, 0)), IlgpuPrograms.Apply(TestAccelerators.Get(device), input, new(2, 1)));
    }

    [Theory, AcceleratorData(1), AcceleratorData(1000)]
    public void A_reduction_runs(TestDevice device, int length) =>
        Assert.Equal(length * (length - 1) / 2, IlgpuPrograms.Sum(TestAccelerators.Get(device), [.. Enumerable.Range(0, length)]));

    [Theory, AcceleratorData]
    public void Dynamic_shared_memory_works(TestDevice device) =>
        Assert.Equal(Enumerable.Range(0, 500).Reverse(), IlgpuPrograms.Reverse(TestAccelerators.Get(device), [.. Enumerable.Range(0, 500)]));

    [Theory, AcceleratorData(33, 47)]
    public void A_tiled_transpose_runs(TestDevice device, int width, int height)
    {
        var input = Enumerable.Range(0, width * height).Select(i => (float)i).ToArray();
        var expected = from x in Enumerable.Range(0, width) from y in Enumerable.Range(0, height) select input[(y * width) + x];

        Assert.Equal(expected, IlgpuPrograms.Transpose(TestAccelerators.Get(device), input, width, height));
    }

    [Theory, AcceleratorData]
    public void A_histogram_runs(TestDevice device)
    {
        const int Seed = 3;
        var input = new byte[4000];
        new Random(Seed).NextBytes(input);

        Assert.Equal(
            Enumerable.Range(0, 10).Select(bin => input.Count(value => value % 10 == bin)),
            IlgpuPrograms.Histogram(TestAccelerators.Get(device), input, 10));
    }

    [Theory, AcceleratorData]
    public void Page_locked_memory_and_markers_work(TestDevice device) =>
        Assert.Equal(
            Enumerable.Range(0, 100).Select(i => Math.Sqrt(i * 0.5)), IlgpuPrograms.PageLockedRoundTrip(TestAccelerators.Get(device), 100));

    [Fact]
    public void Devices_are_described() => Assert.Contains("CPU", IlgpuPrograms.Describe(preferCPU: true), StringComparison.Ordinal);
}
