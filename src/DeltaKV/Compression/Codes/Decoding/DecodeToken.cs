namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>A token to be reconstructed; an element of a list on the device.</summary>
internal struct DecodeToken
{
    /// <summary>Row of the tables.</summary>
    public int Sequence;

    /// <summary>Its position; -1: none, the place stays as it is.</summary>
    public int Position;

    /// <summary>Number of the row that it gets, block after block.</summary>
    public int Slot;
}
