using System.Runtime.InteropServices;
using DeltaKV.Cache;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Model;

/// <summary>What a step is about, staged in page-locked memory and copied to fixed device addresses in one go.</summary>
/// <remarks>
/// One block of 32-bit words: tokens, sequences and positions of the rows, the rows whose logits are wanted, prompt tiles. Every part has a place
/// of its own, so a captured graph finds the inputs of the step it is replayed for.
/// </remarks>
internal sealed class StepInputs : IDisposable
{
    private const int TileWords = 4;

    private readonly int maxRows;
    private readonly int maxLogitRows;
    private readonly int maxLength;
    private readonly PageLockedArray1D<int> staging;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> device;
    private int rowCount;
    private int decodeRows;
    private int tileCount;

    internal StepInputs(Accelerator accelerator, int maxRows, int maxLogitRows, int maxSequences, int maxLength)
    {
        this.maxRows = maxRows;
        this.maxLogitRows = maxLogitRows;
        this.maxLength = maxLength;
        // Every sequence may end with a tile that is not full.
        var maxTiles = PrefillTile.CountOf(maxRows) + maxSequences;
        var words = TilesAt + (TileWords * maxTiles);
        staging = accelerator.AllocatePageLocked1D<int>(words);
        device = accelerator.Allocate1D<int>(words);
    }

    /// <summary>Token ids of the rows.</summary>
    internal ArrayView<int> Tokens => Part(0, maxRows);

    /// <summary>The rows whose logits are wanted.</summary>
    internal ArrayView<int> LogitRows => Part(3 * maxRows, maxLogitRows);

    internal int LogitCount { get; private set; }

    /// <summary>The rows as attention sees them.</summary>
    internal AttentionStep Step => new(
        new TokenRows(Part(maxRows, maxRows), Part(2 * maxRows, maxRows)),
        Part(TilesAt, (int)device.Length - TilesAt).Cast<PrefillTile>(),
        decodeRows,
        tileCount,
        rowCount,
        maxLength);

    /// <summary>Tiles are read 16 bytes at a time.</summary>
    private int TilesAt => ((3 * maxRows) + maxLogitRows + TileWords - 1) / TileWords * TileWords;

    /// <summary>Starts over. The copy of the last step must have finished.</summary>
    internal void Clear() => (rowCount, decodeRows, tileCount, LogitCount) = (0, 0, 0, 0);

    /// <summary>Adds a chunk of a sequence; a single token before any longer chunk is a decode row.</summary>
    internal void Add(int sequence, ReadOnlySpan<int> tokens, int firstPosition, bool isDecode)
    {
        var words = staging.Span;
        tokens.CopyTo(words[rowCount..]);
        for (var i = 0; i < tokens.Length; i++)
        {
            words[maxRows + rowCount + i] = sequence;
            words[(2 * maxRows) + rowCount + i] = firstPosition + i;
        }

        if (isDecode)
            decodeRows++;
        else
            tileCount += PrefillTile.Cut(sequence, rowCount, tokens.Length, firstPosition, MemoryMarshal.Cast<int, PrefillTile>(words[TilesAt..])[tileCount..]);
        rowCount += tokens.Length;
    }

    /// <summary>Asks for the logits of a row; answers come in the order asked.</summary>
    internal void AddLogits(int row) => staging.Span[(3 * maxRows) + LogitCount++] = row;

    /// <summary>Fills up with rows that compute nothing anyone reads, so that a graph for <paramref name="rows"/> decode rows can run.</summary>
    internal void PadDecode(int rows)
    {
        var words = staging.Span;
        for (; rowCount < rows; rowCount++, decodeRows++)
        {
            words[rowCount] = 0;
            words[maxRows + rowCount] = 0;
            words[(2 * maxRows) + rowCount] = -1;
            AddLogits(rowCount);
        }
    }

    /// <summary>Enqueues the copy to the device.</summary>
    internal void Upload(AcceleratorStream stream) => device.View.CopyFromPageLockedAsync(stream, staging);

    public void Dispose()
    {
        staging.Dispose();
        device.Dispose();
    }

    private ArrayView<int> Part(int start, int length) => device.View.BaseView.SubView(start, length);
}
