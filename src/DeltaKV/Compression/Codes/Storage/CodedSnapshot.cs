namespace DeltaKV.Compression.Codes.Storage;

/// <summary>What a finished sequence left behind for prompts that begin alike. Its blocks are never written again.</summary>
/// <param name="Tokens">The tokens it holds.</param>
/// <param name="CodedEnd">Where its coded part ends.</param>
/// <param name="Blocks">Its blocks.</param>
internal sealed record CodedSnapshot(int[] Tokens, int CodedEnd, CodedBlocks Blocks)
{
    /// <summary>How much of a prompt can start from here: what agrees, less raw tokens that were compressed together with others.</summary>
    internal int Usable(ReadOnlySpan<int> tokens, CodedKvFormat format)
    {
        var common = tokens.CommonPrefixLength(Tokens);
        var end = CodedEndAt(common, format);
        // Behind the coded part raw tokens are needed; they are there only if the snapshot has not compressed them.
        return end == CodedEnd || common <= format.Options.Sinks ? common : end;
    }

    /// <summary>Where the coded part ends when that many tokens are taken over.</summary>
    internal int CodedEndAt(int common, CodedKvFormat format) =>
        Math.Max(format.Options.Sinks, Math.Min(CodedEnd, common / format.CodeTokens * format.CodeTokens));
}
