namespace DeltaKV.Gpu.Tests.Compatibility;

/// <summary>The example of docs/kernels.md does what the page says.</summary>
public class KernelsPageTests
{
    private const int Threads = 128;

    public interface IRow
    {
        static abstract int Width { get; }
    }

    [Theory, AcceleratorData]
    public void The_example_is_softmax(TestDevice device)
    {
        const int rows = 3;
        var accelerator = TestAccelerators.Get(device);
        var values = Enumerable.Range(0, rows * Row512.Width).Select(i => (i * 7919 % 1000 / 50f) - 10).ToArray();
        using var x = accelerator.Allocate1D(values);

        var softmax = accelerator.LoadStreamKernel<ArrayView<float>>(Softmax<Row512>);
        softmax((rows, Threads), x.View);

        var actual = x.GetAsArray1D();
        for (var row = 0; row < rows; row++)
        {
            var exponentials = values.AsSpan(row * Row512.Width, Row512.Width).ToArray().Select(value => Math.Exp(value)).ToArray();
            for (var i = 0; i < Row512.Width; i++)
            {
                var expected = exponentials[i] / exponentials.Sum();
                // The fast exponential is good to some 2^-21 relative to its argument's size, here at most 20.
                Assert.Equal(expected, actual[(row * Row512.Width) + i], expected * 1e-5);
            }
        }
    }

    [Fact]
    public void Its_array_is_in_registers()
    {
        var accelerator = TestAccelerators.Get(TestDevice.Cpu);

        var kernel = accelerator.LoadStreamKernel<ArrayView<float>>(Softmax<Row512>).GetKernel();

        Assert.DoesNotContain(".local", kernel.Ptx, StringComparison.Ordinal);
    }

    private static void Softmax<TRow>(ArrayView<float> x)
        where TRow : struct, IRow
    {
        var row = x.SubView(Grid.IdxX * TRow.Width, TRow.Width);
        var values = LocalMemory.Allocate<float>(TRow.Width / Threads);         // registers
        var largest = float.NegativeInfinity;
        for (var i = 0; i < Unroll.Full(TRow.Width / Threads); i++)
        {
            values[i] = row[Group.IdxX + (i * Threads)];
            largest = MathF.Max(largest, values[i]);
        }

        largest = GroupReduce.Max(largest);
        var sum = 0f;
        for (var i = 0; i < Unroll.Full(TRow.Width / Threads); i++)
        {
            values[i] = FastMath.Exp(values[i] - largest);
            sum += values[i];
        }

        sum = GroupReduce.Sum(sum);
        for (var i = 0; i < Unroll.Full(TRow.Width / Threads); i++)
            row[Group.IdxX + (i * Threads)] = values[i] / sum;
    }

    public readonly struct Row512 : IRow
    {
        public static int Width => 512;
    }
}
