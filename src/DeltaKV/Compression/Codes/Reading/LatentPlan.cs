namespace DeltaKV.Compression.Codes.Reading;

/// <summary>How the keys and values of one head of a layer are read; an element of a device table <c>[layers, keyHeads]</c>.</summary>
internal struct LatentPlan
{
    /// <summary>First of the head's entries in the table of pieces: which 16 bytes of a record are copied, in the order in which they lie afterwards. The keys' chunks are the first.</summary>
    public int FirstPiece;

    /// <summary>Number of those, of keys and of values.</summary>
    public int Pieces;

    /// <summary>How many of them, the first, are the keys'; 0 where keys and values have pieces in common.</summary>
    public int KeyPieces;

    /// <summary>Products of 16 dimensions that keys are made of.</summary>
    public int KeySteps;

    /// <summary>Pairs of 16-bit chunks of the keys.</summary>
    public int WidePairs;

    /// <summary>8-bit chunks after them.</summary>
    public int ByteChunks;

    /// <summary>4-bit chunks after them.</summary>
    public int NibbleChunks;

    /// <summary>3-bit chunks after them.</summary>
    public int OctalChunks;

    /// <summary>Word of these chunks' first tail among the copied pieces.</summary>
    public int KeyTail;

    /// <summary>2-bit chunks after them.</summary>
    public int CrumbChunks;

    /// <summary>First of the fragments of the keys' up matrix.</summary>
    public int KeyUp;

    /// <summary>Word of the keys' first scale among the copied pieces; -1: steps are folded into the matrices.</summary>
    public int KeyScale;

    /// <summary>1: a scale per integer chunk; 0: one for all.</summary>
    public int ScaleStride;

    /// <summary>Word of the reference ids among the copied pieces.</summary>
    public int IdWord;

    /// <summary>First of the values' entries in the table of steps.</summary>
    public int FirstStep;

    /// <summary>Sixteens of dimensions that values are made of.</summary>
    public int ValueSteps;

    /// <summary>First of the fragments of the values' up matrix.</summary>
    public int ValueUp;
}
