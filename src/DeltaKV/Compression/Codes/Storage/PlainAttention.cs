using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>
/// Attention of prompts to what is reconstructed first: a layer of a sequence in plain form, all of it at once or as much as there is room for, part after part.
/// </summary>
/// <remarks>
/// Reconstructing in every tile of 64 queries takes more than attention itself. The room is bounded, however long sequences are; what was summed waits between parts, so that the
/// result does not depend on it.
/// </remarks>
internal sealed class PlainAttention : IDisposable
{
    /// <summary>From this many query tiles on, reconstructing a prompt's history once for all of them beats doing it in each.</summary>
    internal const int TilesWorthIt = 2;

    private readonly ReadScratch scratch;
    private readonly PrefillAttention attend;
    private readonly MemoryBuffer1D<Float4, Stride1D.Dense> sums;

    /// <param name="accelerator">Where it runs.</param>
    /// <param name="shape">The heads.</param>
    /// <param name="limits">Bounds.</param>
    /// <param name="scratch">Room for the plain form; not owned.</param>
    internal PlainAttention(Accelerator accelerator, AttentionShape shape, KvLimits limits, ReadScratch scratch)
    {
        this.scratch = scratch;
        attend = new PrefillAttention(accelerator, shape);
        sums = accelerator.Allocate1D<Float4>(Math.Max(1, Sums(shape, limits)));
    }

    /// <summary>Bytes it allocates.</summary>
    internal static long WorkBytes(AttentionShape shape, KvLimits limits) => Sums(shape, limits) * ArrayView<Float4>.ElementSize;

    /// <summary>Whether a prompt of so many tiles attends faster so.</summary>
    internal bool IsWorthIt(int tiles) => tiles >= TilesWorthIt && scratch.PlainTokens > 0;

    /// <param name="stream">Where to enqueue.</param>
    /// <param name="reconstruct">Writes the plain form.</param>
    /// <param name="reader">Reads the layer.</param>
    /// <param name="order">Which tokens are read.</param>
    /// <param name="prompt">The prompt.</param>
    /// <param name="leftOut">How many of its sequence's tokens are not read.</param>
    /// <param name="tiles">Its tiles, in a sequence without those.</param>
    /// <param name="qkv">Rotated q first in each row.</param>
    /// <param name="output">The result.</param>
    internal void Launch<TReader>(
        AcceleratorStream stream,
        ReconstructKernel<TReader> reconstruct,
        TReader reader,
        TokenOrder order,
        PromptSpan prompt,
        int leftOut,
        ArrayView<PrefillTile> tiles,
        ArrayView<BFloat16> qkv,
        ArrayView<BFloat16> output)
        where TReader : unmanaged, IKvReader<TReader>
    {
        var length = prompt.Length - leftOut;
        for (var start = 0; start < length; start += scratch.PlainTokens)
        {
            var blocks = scratch.Reconstruct(stream, reconstruct, reader, order, prompt.Sequence, prompt.Length, leftOut, start);
            if (length <= scratch.PlainTokens)
                attend.Launch(stream, qkv, tiles, blocks, output, prompt.Tiles);
            else
                attend.LaunchPart(stream, qkv, tiles, blocks, output, prompt.Tiles, new PrefillPart(start, start + scratch.PlainTokens, sums.View));
        }
    }

    public void Dispose() => sums.Dispose();

    /// <summary>Elements of what waits between parts; none where a whole sequence fits, or nothing is reconstructed.</summary>
    private static long Sums(AttentionShape shape, KvLimits limits)
    {
        var tokens = ReadScratch.PlainTokensOf(shape, limits);
        return tokens == 0 || tokens >= limits.SequenceTokens ? 0 : PrefillPart.SumsOf(shape, limits.StepTokens);
    }
}
