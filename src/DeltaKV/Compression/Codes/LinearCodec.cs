using System.Collections.Immutable;
using System.Numerics;

namespace DeltaKV.Compression.Codes;

/// <summary>How one layer's kv rows <c>[K of all heads before RoPE | V of all heads]</c> become codes and back; everything a kernel needs, on the host.</summary>
/// <remarks>
/// <c>u = down (kv - mean - reference)</c>, <c>kv' = mean + reference + up^T dequantise(quantise(u))</c>; the reference is the mean of
/// <see cref="Neighbours"/> stored rows, or absent. Any closed-form codec (PCA, weighted KLT, Hadamard, identity) is an instance. A group whose encoder
/// has a hidden layer (<see cref="KvFeatures"/>, as in DeltaKV's published compressors) codes <c>down (phi(kv) - phi(mean + reference))</c> instead, and one whose decoder has one adds
/// <c>up^T psi(...)</c> of what was quantised; attention reads such layers reconstructed, not in place.
/// </remarks>
internal sealed record LinearCodec
{
    // Bits of a mask.
    private const int MaxHeadsOfTable = 64;

    /// <summary>Key/value heads.</summary>
    public required int KeyHeads { get; init; }

    /// <summary>Elements of a head.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Together they cover the keys and values of every head with history; where they overlap, the last one decodes, and the encoders of the others have zeros there.</summary>
    public required ImmutableArray<CodeGroup> Groups { get; init; }

    /// <summary><c>[Width]</c>, subtracted before encoding.</summary>
    public required float[] Mean { get; init; }

    /// <summary><c>[Width]</c>, added after decoding on top of the mean (a decoder's bias); null for none.</summary>
    public float[]? Offset { get; init; }

    /// <summary>Where steps come from.</summary>
    public CodeScales Scales { get; init; }

    /// <summary>References whose mean is subtracted: 0 to 4.</summary>
    public int Neighbours { get; init; }

    /// <summary>Key/value heads that keep no history, a bit each: nothing of them is stored, they read sinks and window.</summary>
    public ulong WindowHeads { get; init; }

    /// <summary>Key/value heads that keep history.</summary>
    public int HistoryHeads => KeyHeads - BitOperations.PopCount(WindowHeads);

    /// <summary>Features of all groups; 0 where the encoder is linear.</summary>
    public int FeatureCount => Groups.Sum(group => group.Features?.Count ?? 0);

    /// <summary>Whether decoding takes a hidden layer, so that attention cannot read codes in place.</summary>
    public bool HasHiddenDecoder => Groups.Any(group => group.Decoder is not null);

    /// <summary>Elements of a kv row.</summary>
    public int Width => 2 * KeyHeads * HeadDim;

    /// <summary>Chunks of all groups.</summary>
    public int ChunkCount => Groups.Sum(group => group.Chunks.Length);

    /// <summary>Whether anything of a head is stored.</summary>
    public bool KeepsHistory(int head) => (WindowHeads >> head & 1) == 0;

    /// <summary>The number of the group that decodes a part (keys of the heads, then values); -1: none, its head keeps no history or nobody covers it.</summary>
    public int DecoderOf(int part)
    {
        var decoder = -1;
        for (var group = 0; KeepsHistory(part % KeyHeads) && group < Groups.Length; group++)
        {
            if (Groups[group].Start <= part * HeadDim && (part + 1) * HeadDim <= Groups[group].Start + Groups[group].Length)
                decoder = group;
        }

        return decoder;
    }

    /// <summary>Refuses what the stored format cannot hold.</summary>
    /// <exception cref="ArgumentException">What was found and what is needed.</exception>
    public void Validate()
    {
        if (Mean.Length != Width)
            throw new ArgumentException($"The mean has {Mean.Length} elements; kv rows of {KeyHeads} heads of {HeadDim} have {Width}.");
        if (Offset is not null && Offset.Length != Width)
            throw new ArgumentException($"The offset has {Offset.Length} elements; kv rows of {KeyHeads} heads of {HeadDim} have {Width}.");
        if (Neighbours is < 0 or > 4)
            throw new ArgumentException($"{Neighbours} references per token; 0 to 4 can be stored.");
        if (WindowHeads != 0 && (KeyHeads > MaxHeadsOfTable || WindowHeads >> (KeyHeads - 1) > 1))
            throw new ArgumentException($"Heads {WindowHeads:b} keep no history; there are {KeyHeads} key/value heads, and at most {MaxHeadsOfTable} can be told apart.");
        var widths = new HashSet<ChunkWidth>();
        foreach (var group in Groups)
        {
            if (group.Start < 0 || group.Start % HeadDim != 0 || group.Length <= 0 || group.Length % HeadDim != 0 || group.Start + group.Length > Width)
                throw new ArgumentException($"A code group covers {group.Start}..{group.Start + group.Length}; whole heads of {HeadDim} within {Width} are needed.");
            Validate(group);
            for (var i = 1; i < group.Chunks.Length; i++)
                if (group.Chunks[i] > group.Chunks[i - 1])
                    throw new ArgumentException($"A {group.Chunks[i]} chunk after a {group.Chunks[i - 1]} one; the widest come first.");
            if (group.Chunks.Count(width => width == ChunkWidth.Bits16) % 2 != 0)
                throw new ArgumentException("16-bit chunks come in pairs.");
            widths.UnionWith(group.Chunks.Where(width => width != ChunkWidth.Bits16));
        }

        for (var part = 0; part < 2 * KeyHeads; part++)
        {
            if (KeepsHistory(part % KeyHeads) && DecoderOf(part) < 0)
                throw new ArgumentException($"No code group covers the {(part < KeyHeads ? "keys" : "values")} of head {part % KeyHeads}, which keeps history.");
        }

        if (Scales == CodeScales.PerToken && widths.Count > 1)
            throw new ArgumentException("One step per token needs integer chunks of one width.");
        if (FeatureCount > 0 && Groups.Any(group => group.Features is null && group.Chunks.Length > 0))
            throw new ArgumentException("The encoders of a layer's groups are all linear, or all have a hidden layer.");
        if (HasHiddenDecoder && Groups.Any(group => group.Decoder is null || group.Chunks.Length == 0))
            throw new ArgumentException("The decoders of a layer's groups are all linear, or all have a hidden layer and dimensions to decode.");
        if (HasHiddenDecoder && (WindowHeads != 0 || Groups.Sum(group => group.Length) != Width))
            throw new ArgumentException("Decoders with a hidden layer make whole rows: every head keeps history and is decoded by one group.");
    }

    private static void Validate(CodeGroup group)
    {
        if (group.Features is { } features)
            Validate(features, group.Length, "encoder");
        if (group.Decoder is { } decoder)
            Validate(decoder, group.Dimensions, "decoder");
        var (down, up) = (group.Dimensions * group.Inputs, group.Terms * group.Length);
        if (group.Down.Length != down || group.Up.Length != up)
        {
            throw new ArgumentException(
                $"Matrices of {group.Down.Length} and {group.Up.Length} elements; {group.Dimensions} x {group.Inputs} and {group.Terms} x {group.Length} are needed.");
        }
    }

    private static void Validate(KvFeatures features, int inputs, string of)
    {
        if (features.Count <= 0 || features.Count % 16 != 0)
            throw new ArgumentException($"A hidden layer of {features.Count} features in the {of}; a multiple of 16 is needed (zero rows and columns fill it up).");
        if (features.Weight.Length != features.Rows * inputs || features.Bias.Length != features.Rows)
        {
            throw new ArgumentException(
                $"A hidden layer of {features.Weight.Length} weights and {features.Bias.Length} biases in the {of}; {features.Rows} x {inputs} and {features.Rows} are needed.");
        }
    }
}
