using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Reading;

/// <summary>Decode attention of observation layers over raw blocks, every token: the kernel of plain attention, which leaves scores and softmax denominators behind.</summary>
/// <param name="accelerator">Where it is.</param>
/// <param name="shape">The heads.</param>
/// <param name="maxRows">The most rows of a decode.</param>
internal sealed class ObservedDecode(Accelerator accelerator, AttentionShape shape, int maxRows) : IDecodeKernel<RawReader>, IDisposable
{
    private readonly DecodeAttention attention = new(accelerator, shape, maxRows);

    /// <inheritdoc/>
    public void Launch(AcceleratorStream stream, DecodeArguments<RawReader> arguments, AttentionShape shape, int rowCount)
    {
        var blocks = arguments.Reader.Blocks;
        attention.LaunchObserved(
            stream,
            arguments.Qkv.Cast<BFloat16>(),
            arguments.Rows,
            new KvBlocks<BFloat16>(blocks.Keys.Cast<BFloat16>(), blocks.Values.Cast<BFloat16>(), blocks.Tables, blocks.TableStride),
            arguments.Output.Cast<BFloat16>(),
            arguments.Order.Bounds,
            arguments.Logits,
            arguments.LogSumExp,
            rowCount);
    }

    /// <inheritdoc/>
    public bool KeepsLogits(RawReader reader) => true;

    /// <summary>What it allocates.</summary>
    internal static long Bytes(AttentionShape shape, int maxRows) => DecodeAttention.Bytes(shape, maxRows);

    /// <inheritdoc/>
    public void Dispose() => attention.Dispose();
}
