using DeltaKV.Compression.Codes.Storage;

namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>What reading layers whose decoder has a hidden layer takes besides history: for the memory plan.</summary>
internal static class DecodingMemory
{
    /// <summary>The most tokens that are listed at once: all that there is room for, or all that the hot set may miss.</summary>
    internal static int ListedTokens(CodedKvFormat format, KvLimits limits) =>
        Math.Max(DecodedRead.Slots(format, limits.SequenceTokens), limits.Sequences * format.Options.HotTokens);

    /// <summary>Matrices, room between kernels, and a sequence in plain form as far as the scratch of prompts is too small for it.</summary>
    internal static long Bytes(CodedKvFormat format, KvLimits limits)
    {
        if (!format.HasHiddenDecoders)
            return 0;
        var slots = DecodedRead.Slots(format, limits.SequenceTokens);
        return format.Codecs.Sum(DecoderTables.Bytes)
            + Reconstructor.WorkBytes(format, ListedTokens(format, limits))
            + Math.Max(0, ((long)slots * format.RawTokenBytes) - limits.ScratchBytes)
            + (2L * sizeof(int) * slots);
    }
}
