namespace DeltaKV.Compression.Codes.Storage;

/// <summary>The blocks that hold a sequence, pool by pool, by position: its token map.</summary>
internal sealed class CodedBlocks
{
    /// <summary>A block that is not there: compressed already, or never coded.</summary>
    internal const int None = -1;

    /// <summary>Raw layers, 64 tokens each.</summary>
    internal List<int> Full { get; } = [];

    /// <summary>Raw tokens of compressed layers, 16 each; <see cref="None"/> once compressed.</summary>
    internal List<int> Window { get; } = [];

    /// <summary>Codes, 16 tokens each or 32 (<see cref="CodedKvFormat.CodeTokens"/>); <see cref="None"/> for sinks.</summary>
    internal List<int> Codes { get; } = [];

    /// <summary>References, 16 each.</summary>
    internal List<int> References { get; } = [];

    internal int WindowCount { get; set; }

    /// <summary>Entries of all tables on the device.</summary>
    internal int Entries(CodedKvFormat format) => Full.Count + Window.Count + (Codes.Count * format.CodeEntries) + References.Count;
}
