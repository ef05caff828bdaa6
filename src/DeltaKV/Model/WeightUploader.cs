using System.Runtime.InteropServices;
using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Weights;

namespace DeltaKV.Model;

/// <summary>Copies tensors from the mapped file to the device, a chunk at a time, so that no second copy of the model ever stands in RAM.</summary>
internal sealed class WeightUploader<T>(
    AcceleratorStream stream, ModelWeights source, MemoryPlan plan, IProgress<LoadProgress>? progress, CancellationToken cancellation)
    where T : unmanaged
{
    /// <summary>Elements per copy: the granularity of progress and cancellation.</summary>
    private const int ChunkElements = 8 << 20;

    private T[] converted = [];
    private long doneBytes;

    /// <summary>Uploads the tensor of that name and shape to the start of <paramref name="target"/>, and returns what of the target is left.</summary>
    internal ArrayView<T> Upload(ArrayView<T> target, string name, params ReadOnlySpan<long> shape)
    {
        var tensor = source.Require(name, shape);
        var count = tensor.Info.ElementCount;
        for (long start = 0; start < count; start += ChunkElements)
        {
            cancellation.ThrowIfCancellationRequested();
            var chunk = (int)Math.Min(ChunkElements, count - start);
            target.SubView(start, chunk).CopyFromCPU(stream, Read(tensor, start, chunk));
            doneBytes += (long)chunk * ArrayView<T>.ElementSize;
            progress?.Report(new LoadProgress("Loading weights", doneBytes, plan.WeightBytes, plan));
        }

        return target.SubView(count);
    }

    private unsafe ReadOnlySpan<T> Read(ModelTensor tensor, long start, int count)
    {
        if (typeof(T) == typeof(BFloat16) && tensor.Info.Type == TensorDataType.BF16)
            return MemoryMarshal.Cast<byte, T>(tensor.Bytes(start * sizeof(T), count * sizeof(T)));
        if (converted.Length < count)
            converted = new T[count];
        if (typeof(T) == typeof(BFloat16))
            tensor.ReadBFloat16(start, MemoryMarshal.Cast<T, ushort>(converted.AsSpan(0, count)));
        else
            tensor.ReadSingle(start, MemoryMarshal.Cast<T, float>(converted.AsSpan(0, count)));
        return converted.AsSpan(0, count);
    }
}
