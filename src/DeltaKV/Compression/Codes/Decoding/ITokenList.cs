using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>Who says which tokens are reconstructed, and where they go: so many at a time.</summary>
internal interface ITokenList
{
    /// <summary>Writes entries <c>[first, first + count)</c>; an entry for no token has position -1, and after the first of them in a run of 128 (from a multiple of 128 on) there are no others.</summary>
    void Write(AcceleratorStream stream, ArrayView<DecodeToken> tokens, int first, int count);
}
