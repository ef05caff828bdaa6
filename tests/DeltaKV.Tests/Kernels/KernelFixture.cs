using DeltaKV.Gpu;

namespace DeltaKV.Tests.Kernels;

/// <summary>
/// The accelerator kernels are tested on: the CPU in sanitizer mode, or what <see cref="TestAccelerators"/> is told. What a
/// kernel writes to starts as NaN and has a margin that must stay untouched.
/// </summary>
public sealed class KernelFixture : IDisposable
{
    private const int Margin = 256;

    public KernelFixture()
    {
        // Of the devices of this run the most watchful: the sanitizer, where there is one.
        Accelerator = TestAccelerators.Create(TestAccelerators.Devices[^1]);
        Stream = Accelerator.DefaultStream;
    }

    public Accelerator Accelerator { get; }

    public AcceleratorStream Stream { get; }

    /// <summary>A buffer that holds these elements.</summary>
    internal MemoryBuffer1D<T, Stride1D.Dense> Upload<T>(T[] data)
        where T : unmanaged => Accelerator.Allocate1D(data);

    /// <summary>A poisoned buffer: all bits set, which is NaN in every float type.</summary>
    internal MemoryBuffer1D<T, Stride1D.Dense> Poisoned<T>(int length)
        where T : unmanaged
    {
        var buffer = Accelerator.Allocate1D<T>(length + Margin);
        buffer.MemSet(Stream, 0xff);
        return buffer;
    }

    /// <summary>What a kernel wrote to a poisoned buffer; fails if it wrote past the end.</summary>
    internal T[] Download<T>(MemoryBuffer1D<T, Stride1D.Dense> poisoned, int length)
        where T : unmanaged
    {
        Stream.Synchronize();
        var all = poisoned.GetAsArray1D(Stream);
        var rest = System.Runtime.InteropServices.MemoryMarshal.AsBytes(all.AsSpan(length));
        Assert.True(rest.IndexOfAnyExcept((byte)0xff) < 0, "The kernel wrote beyond the end of its output.");
        return all[..length];
    }

    public void Dispose() => Accelerator.Dispose();
}
