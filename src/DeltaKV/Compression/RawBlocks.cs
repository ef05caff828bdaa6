using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression;

/// <summary>Sizes of caches that keep every token in raw blocks.</summary>
internal static class RawBlocks
{
    /// <summary>How many blocks a method may have.</summary>
    /// <exception cref="ArgumentException">Not one fits.</exception>
    internal static int For(KvMethodContext context, IKvMethod method)
    {
        var bytes = context.Bytes - method.FixedBytes(context.Limits);
        var blocks = bytes / (KvBlockLayout.Size * method.BytesPerToken);
        return blocks > 0
            ? (int)Math.Min(blocks, int.MaxValue / KvBlockLayout.Size)
            : throw new ArgumentException($"{context.Bytes} bytes do not hold {method.FixedBytes(context.Limits)} bytes of lists and scratch and a block of {KvBlockLayout.Size} tokens.", nameof(context));
    }
}
