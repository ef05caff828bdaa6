namespace DeltaKV.Tests.Compression.Eviction;

/// <summary>A code of the tokens of a head, one number at a time.</summary>
internal interface IScalarCode
{
    /// <summary>Tokens that are coded together.</summary>
    int Tokens { get; }

    /// <summary>What comes back of tokens in slots from one on that were at some positions.</summary>
    (double[][] Keys, double[][] Values) Decode(double[][] keys, double[][] values, int slot, int[] positions);
}
