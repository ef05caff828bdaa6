using System.Runtime.InteropServices;
using DeltaKV.Gpu;

namespace DeltaKV.Kernels;

/// <summary>Buffers on a device that are given back together. An empty one has an address nevertheless.</summary>
internal sealed class DeviceBuffers(Accelerator accelerator) : IDisposable
{
    private readonly List<MemoryBuffer> buffers = [];

    /// <summary>Bytes of all of them.</summary>
    internal long Bytes => buffers.Sum(buffer => buffer.LengthInBytes);

    /// <summary>A buffer of so many elements.</summary>
    internal ArrayView<T> Allocate<T>(long count)
        where T : unmanaged
    {
        var buffer = accelerator.Allocate1D<T>(Math.Max(count, 1));
        buffers.Add(buffer);
        return buffer.View;
    }

    /// <summary>A buffer of these values.</summary>
    internal ArrayView<T> Upload<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        var view = Allocate<T>(values.Length);
        if (!values.IsEmpty)
            view.SubView(0, values.Length).CopyFromCPU(accelerator.DefaultStream, values);
        accelerator.DefaultStream.Synchronize();
        return view;
    }

    /// <inheritdoc cref="Upload{T}(ReadOnlySpan{T})"/>
    internal ArrayView<T> Upload<T>(List<T> values)
        where T : unmanaged => Upload<T>(CollectionsMarshal.AsSpan(values));

    public void Dispose() => buffers.ForEach(buffer => buffer.Dispose());
}
