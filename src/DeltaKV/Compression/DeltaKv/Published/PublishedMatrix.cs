using DeltaKV.Compression.Codes;

namespace DeltaKV.Compression.DeltaKv.Published;

/// <summary>A matrix <c>[rows, columns]</c>, row by row.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Columns.</param>
/// <param name="Values">Elements.</param>
internal sealed record PublishedMatrix(int Rows, int Columns, float[] Values)
{
    /// <summary>The same with zero rows below and zero columns to the right.</summary>
    internal PublishedMatrix PaddedTo(int rows, int columns)
    {
        if (rows == Rows && columns == Columns)
            return this;
        var padded = new float[rows * columns];
        for (var row = 0; row < Rows; row++)
            Values.AsSpan(row * Columns, Columns).CopyTo(padded.AsSpan(row * columns));
        return new PublishedMatrix(rows, columns, padded);
    }

    /// <summary>Rows become columns.</summary>
    internal PublishedMatrix Transposed() => new(Columns, Rows, CodeFragments.Transposed(Values, Rows, Columns));
}
