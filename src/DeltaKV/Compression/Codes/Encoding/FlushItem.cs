namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>Sixteen consecutive tokens to compress, one block of codes; an element of a device table.</summary>
/// <param name="sequence">Row of the tables.</param>
/// <param name="position">Position of the first token, a multiple of 16.</param>
internal readonly struct FlushItem(int sequence, int position)
{
    /// <summary>Row of the tables.</summary>
    public readonly int Sequence = sequence;

    /// <summary>Position of the first token.</summary>
    public readonly int Position = position;
}
