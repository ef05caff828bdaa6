using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>How many blocks each pool has.</summary>
/// <param name="FullBlocks">Blocks of 64 tokens of the raw layers.</param>
/// <param name="WindowBlocks">Blocks of 16 raw tokens of the compressed layers.</param>
/// <param name="CodeBlocks">Blocks of codes of <see cref="CodedKvFormat.CodeTokens"/> tokens.</param>
/// <param name="ReferenceBlocks">Blocks of 16 references.</param>
/// <param name="Tokens">Tokens that fit when one sequence has it all.</param>
internal sealed record CodedKvCapacity(int FullBlocks, int WindowBlocks, int CodeBlocks, int ReferenceBlocks, int Tokens)
{
    /// <summary>Shares bytes among the pools: windows for every sequence and a step's new tokens first, the rest for history.</summary>
    /// <param name="format">What is stored.</param>
    /// <param name="bytes">The budget.</param>
    /// <param name="maxSequences">Sequences at once.</param>
    /// <param name="maxStepTokens">New tokens of a step, raw until its flush.</param>
    /// <param name="maxTokens">More is never needed.</param>
    internal static CodedKvCapacity ForBytes(CodedKvFormat format, long bytes, int maxSequences, int maxStepTokens, long maxTokens)
    {
        var fixedBytes = FixedBytes(format, maxSequences, maxStepTokens);
        var tokens = (long)Math.Min((bytes - fixedBytes) / format.TokenBytes, Math.Min(maxTokens, int.MaxValue / 2));
        if (tokens < format.CodeTokens)
        {
            throw new ArgumentException(
                $"{bytes} bytes do not hold the windows of {maxSequences} sequences and {maxStepTokens} new tokens ({fixedBytes} bytes) and any history.", nameof(bytes));
        }

        var references = format.HasReferences ? (tokens / format.Options.ReferenceStride / CodedKvFormat.BlockTokens) + (2L * maxSequences) : 1;
        return new CodedKvCapacity(
            format.RawLayerCount == 0 ? 1 : (int)(tokens / KvBlockLayout.Size) + maxSequences,
            WindowBlocksFor(format, maxSequences, maxStepTokens),
            (int)(tokens / format.CodeTokens) + maxSequences,
            (int)references,
            (int)tokens);
    }

    /// <summary>Bytes of windows, and of the unfilled last blocks of every sequence.</summary>
    internal static long FixedBytes(CodedKvFormat format, int maxSequences, int maxStepTokens) =>
        (WindowBlocksFor(format, maxSequences, maxStepTokens) * format.WindowBlockBytes)
        + (maxSequences * (format.FullBlockBytes + format.CodeBlockBytes + (2 * format.ReferenceBlockBytes)));

    /// <summary>Bytes of all pools.</summary>
    internal long Bytes(CodedKvFormat format) =>
        (FullBlocks * format.FullBlockBytes) + (WindowBlocks * format.WindowBlockBytes) + (CodeBlocks * format.CodeBlockBytes) + (ReferenceBlocks * format.ReferenceBlockBytes);

    /// <summary>Sinks and window of every sequence, what is being filled and what waits to be whole, and a step's new tokens.</summary>
    private static int WindowBlocksFor(CodedKvFormat format, int maxSequences, int maxStepTokens) =>
        (maxSequences * (((format.Options.Sinks + format.Options.Recent) / CodedKvFormat.BlockTokens) + 1 + (2 * format.CodeTokens / CodedKvFormat.BlockTokens)))
        + CodedKvFormat.Blocks(maxStepTokens, CodedKvFormat.BlockTokens);
}
