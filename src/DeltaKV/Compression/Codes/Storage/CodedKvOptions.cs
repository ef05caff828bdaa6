using DeltaKV.Cache.Selection;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>What stays raw and what references are.</summary>
internal sealed record CodedKvOptions
{
    /// <summary>First tokens that are never compressed; a multiple of 16.</summary>
    public int Sinks { get; init => field = Multiple(value, nameof(Sinks)); } = 16;

    /// <summary>Newest tokens that are not compressed yet, at least; up to 15 more wait for a whole block. A multiple of 16.</summary>
    public int Recent { get; init => field = Multiple(value, nameof(Recent)); } = 64;

    /// <summary>Every so many tokens one is a reference.</summary>
    public int ReferenceStride { get; init => field = value is >= 1 and <= 1024 ? value : throw new ArgumentOutOfRangeException(nameof(ReferenceStride), value, $"The stride of references is {value}, expected 1 to 1024 tokens."); } = 10;

    /// <summary>Bits of an element of a reference: 16, 8 or 4.</summary>
    public int ReferenceBits { get; init => field = value is 16 or 8 or 4 ? value : throw new ArgumentOutOfRangeException(nameof(ReferenceBits), value, $"References of {value} bits were asked for, expected 16, 8 or 4."); } = 16;

    /// <summary>What layers after an observation layer read of the compressed history; everything by default.</summary>
    public SelectionBudget Selection { get; init; }

    /// <summary>Whether every key/value head has a selection of its own; otherwise all read the same tokens.</summary>
    public bool SelectsPerHead { get; init; }

    /// <summary>Tokens of compressed history that prompt chunks read in layers after an observation layer; a multiple of 16; 0: all.</summary>
    public int PrefillTokens { get; init => field = Multiple(value, nameof(PrefillTokens)); }

    /// <summary>Selected tokens of a sequence and layer that stay reconstructed, in case they are selected again; a multiple of 16, no fewer than are selected; 0: none.</summary>
    public int HotTokens { get; init => field = Multiple(value, nameof(HotTokens)); }

    /// <summary>References from which on a token's nearest are searched in two levels, by sketch and then exactly among candidates; 0: always exactly.</summary>
    public int TwoLevelFrom { get; init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(TwoLevelFrom), value, "A number of references is not negative."); }

    private static int Multiple(int value, string name) => value >= 0 && value % 16 == 0
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}, expected a multiple of 16.");
}
