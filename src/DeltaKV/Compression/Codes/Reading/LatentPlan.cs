namespace DeltaKV.Compression.Codes.Reading;

/// <summary>How the keys and values of one head of a layer are read; an element of a device table <c>[layers, keyHeads]</c>.</summary>
internal struct LatentPlan
{
    /// <summary>First of the head's entries in the table of pieces: which 16 bytes of a record are copied, in the order in which they lie afterwards.</summary>
    public int FirstPiece;

    /// <summary>Number of those.</summary>
    public int Pieces;

    /// <summary>First of the head's entries in the table of steps: those of the keys, then those of the values.</summary>
    public int FirstStep;

    /// <summary>Products of 16 dimensions that keys are made of.</summary>
    public int KeySteps;

    /// <summary>How many of those are halves; they come first.</summary>
    public int WideKeySteps;

    /// <summary>Sixteens of dimensions that values are made of.</summary>
    public int ValueSteps;

    /// <summary>First of the fragments of the keys' up matrix.</summary>
    public int KeyUp;

    /// <summary>First of the fragments of the values' up matrix.</summary>
    public int ValueUp;

    /// <summary>1: the table of steps says where a record has its scale; 0: it says the scale.</summary>
    public int HasScales;
}
