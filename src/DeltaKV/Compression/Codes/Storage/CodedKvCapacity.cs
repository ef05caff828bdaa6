using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>How many blocks each pool has.</summary>
/// <param name="FullBlocks">Blocks of 64 tokens of the raw layers.</param>
/// <param name="WindowBlocks">Blocks of 16 raw tokens of the compressed layers.</param>
/// <param name="CodeBlocks">Blocks of 16 tokens' codes.</param>
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
        var options = format.Options;
        // Window, a block being filled, a block waiting to be whole.
        var window = (long)maxSequences * ((options.Sinks + options.Recent) / CodedKvFormat.BlockTokens + 2) + CodedKvFormat.Blocks(maxStepTokens, CodedKvFormat.BlockTokens) + maxSequences;
        var perToken = ((double)format.FullBlockBytes / KvBlockLayout.Size)
            + ((double)format.CodeBlockBytes / CodedKvFormat.BlockTokens)
            + (double)format.ReferenceBlockBytes / (CodedKvFormat.BlockTokens * options.ReferenceStride);
        // Unfilled last blocks of every sequence.
        var fixedBytes = (window * format.WindowBlockBytes) + (maxSequences * (format.FullBlockBytes + format.CodeBlockBytes + format.ReferenceBlockBytes));
        var tokens = (long)Math.Min((bytes - fixedBytes) / perToken, Math.Min(maxTokens, int.MaxValue / 2));
        if (tokens < CodedKvFormat.BlockTokens)
        {
            throw new ArgumentException(
                $"{bytes} bytes do not hold the windows of {maxSequences} sequences and {maxStepTokens} new tokens ({fixedBytes} bytes) and any history.", nameof(bytes));
        }

        var references = format.HasReferences ? (tokens / options.ReferenceStride / CodedKvFormat.BlockTokens) + (2L * maxSequences) : 1;
        return new CodedKvCapacity(
            format.RawLayerCount == 0 ? 1 : (int)(tokens / KvBlockLayout.Size) + maxSequences,
            (int)window,
            (int)(tokens / CodedKvFormat.BlockTokens) + maxSequences,
            (int)references,
            (int)tokens);
    }

    /// <summary>Bytes of all pools.</summary>
    internal long Bytes(CodedKvFormat format) =>
        (FullBlocks * format.FullBlockBytes) + (WindowBlocks * format.WindowBlockBytes) + (CodeBlocks * format.CodeBlockBytes) + (ReferenceBlocks * format.ReferenceBlockBytes);
}
