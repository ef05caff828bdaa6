using DeltaKV.Gpu;

namespace DeltaKV.Benchmarks.Kernels;

/// <summary>The buffers of one case, filled with numbers in [-1, 1), gone when the case is.</summary>
internal sealed class Arena(Accelerator accelerator, AcceleratorStream stream) : IDisposable
{
    private readonly List<IDisposable> buffers = [];
    private readonly Action<AcceleratorStream, KernelConfig, ArrayView<uint>, int> fill =
        accelerator.LoadKernel<ArrayView<uint>, int>(Fill);

    internal Accelerator Accelerator => accelerator;

    internal AcceleratorStream Stream => stream;

    internal ArrayView<BFloat16> BFloat16s(long count)
    {
        var buffer = Keep(accelerator.Allocate1D<BFloat16>(count + 8));
        fill(stream, new KernelConfig(1024, 256), buffer.View.BaseView.Cast<uint>(), 0);
        return buffer.View.BaseView.SubView(0, count);
    }

    internal ArrayView<float> Singles(long count)
    {
        var buffer = Keep(accelerator.Allocate1D<float>(count));
        fill(stream, new KernelConfig(1024, 256), buffer.View.BaseView.Cast<uint>(), 1);
        return buffer.View;
    }

    /// <summary>Numbers in bf16 become halves where they lie.</summary>
    internal ArrayView<uint> Halves(ArrayView<BFloat16> numbers)
    {
        accelerator.LoadKernel<ArrayView<uint>>(Narrow)(stream, new KernelConfig(1024, 256), numbers.Cast<uint>());
        return numbers.Cast<uint>();
    }

    internal ArrayView<T> Upload<T>(T[] data)
        where T : unmanaged => Keep(accelerator.Allocate1D(data)).View;

    internal T Keep<T>(T owned)
        where T : IDisposable
    {
        buffers.Add(owned);
        return owned;
    }

    public void Dispose()
    {
        stream.Synchronize();
        foreach (var buffer in buffers)
            buffer.Dispose();
    }

    private static void Narrow(ArrayView<uint> target)
    {
        for (var i = Grid.GlobalIndex.X; i < target.Length; i += Grid.DimX * Group.DimX)
            target[i] = Half2.FromSingles(new BFloat16x2(target[i]).Low, new BFloat16x2(target[i]).High).Bits;
    }

    private static void Fill(ArrayView<uint> target, int single)
    {
        for (var i = Grid.GlobalIndex.X; i < target.Length; i += Grid.DimX * Group.DimX)
        {
            var hash = (uint)i * 2654435761u;
            hash ^= hash >> 15;
            var value = ((hash & 0xffff) - 32768f) / 32768f;
            target[i] = single != 0 ? BitConverter.SingleToUInt32Bits(value) : BFloat16x2.FromSingles(value, value * -0.5f).Bits;
        }
    }
}
