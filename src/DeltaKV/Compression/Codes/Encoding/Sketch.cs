namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>
/// A short form of a kv row that keeps distances: its elements with random signs, every 256th added to one sum, the sums rounded to bytes. For a difference d, <c>|sketch(d)|^2</c> is
/// <c>|d|^2</c> and what pairs within a sum add to it, whose signs are as likely this as that: a twelfth (one standard deviation) of rows of 2,048 elements, a sixteenth of 512. So
/// who is near by sketch is a candidate for who is near.
/// </summary>
/// <remarks>
/// The signs come from a hash of where they are needed, so there is no matrix to store or read. Sums of different elements are products with orthogonal vectors, which as many vectors of
/// independent signs are not: these are off by more. Source: Weinberger et al., Feature hashing, 2009.
/// </remarks>
internal static class Sketch
{
    /// <summary>Elements of a sketch.</summary>
    internal const int Width = 256;

    /// <summary>16-byte pieces of a sketch.</summary>
    internal const int Pieces = Width / 16;

    /// <summary>Bytes of a reference's sketch, its step and its squared norm.</summary>
    internal const int Bytes = Width + (2 * sizeof(float));

    /// <summary>Groups that share the references of a search among sketches.</summary>
    internal const int Splits = 4;

    /// <summary>Candidates of a token: the best four of each of four lanes' columns and every split.</summary>
    internal const int Candidates = Splits * 16;

    /// <summary>The signs of eight neighbouring elements of a row, from the lowest bit on; 1: minus.</summary>
    internal static uint Signs(int eight)
    {
        var x = (uint)eight * 0x9E3779B9u;
        x = (x ^ (x >> 16)) * 0x7FEB352Du;
        x = (x ^ (x >> 15)) * 0x846CA68Bu;
        return (x ^ (x >> 16)) & 0xff;
    }
}
