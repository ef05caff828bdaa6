using System.Runtime.InteropServices;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction.Kept;

/// <summary>The coded part of the maps of a step: block numbers <c>[sequences, layers, stride]</c> and bounds <c>[layers, sequences]</c>, at addresses that never change.</summary>
internal sealed class KeptTables : IDisposable
{
    private readonly EvictionFormat format;
    private readonly int rows;
    private readonly PageLockedArray1D<int>[] staging;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> blocks;
    private readonly PageLockedArray1D<ReadBounds> boundStaging;
    private readonly MemoryBuffer1D<ReadBounds, Stride1D.Dense> bounds;
    private readonly PageLockedArray1D<int>[] tokenStaging;
    private readonly MemoryBuffer1D<int, Stride1D.Dense>? tokens;

    internal KeptTables(Accelerator accelerator, EvictionFormat format, int rows, int maxTokens)
    {
        (this.format, this.rows) = (format, rows);
        Stride = StrideOf(maxTokens);
        staging = [.. Enumerable.Range(0, rows).Select(_ => accelerator.AllocatePageLocked1D<int>(RowEntries))];
        blocks = accelerator.Allocate1D<int>((long)rows * RowEntries);
        boundStaging = accelerator.AllocatePageLocked1D<ReadBounds>(format.LayerCount * rows);
        bounds = accelerator.Allocate1D<ReadBounds>(format.LayerCount * rows);
        TokenStride = TokensOf(format, maxTokens);
        tokenStaging = [.. Enumerable.Range(0, TokenStride > 0 ? rows : 0).Select(_ => accelerator.AllocatePageLocked1D<int>(TokenStride))];
        tokens = TokenStride > 0 ? accelerator.Allocate1D<int>((long)rows * TokenStride) : null;
    }

    /// <summary>Entries of a layer of a sequence.</summary>
    internal int Stride { get; }

    /// <summary>Entries of a sequence.</summary>
    internal int RowEntries => format.LayerCount * Stride;

    /// <summary>Token ids by position, where a layer is recomputed from them.</summary>
    internal ArrayView<int> Tokens => tokens?.View ?? default(ArrayView<int>);

    /// <summary>Entries of a sequence of them.</summary>
    internal int TokenStride { get; }

    /// <summary>Bytes on the device.</summary>
    internal static long Bytes(EvictionFormat format, int rows, int maxTokens) =>
        ((long)format.LayerCount * rows * ((StrideOf(maxTokens) * sizeof(int)) + (2 * sizeof(int)))) + ((long)rows * TokensOf(format, maxTokens) * sizeof(int));

    /// <summary>Block numbers of a layer; sequences are <see cref="RowEntries"/> apart.</summary>
    internal ArrayView<int> Blocks(int layer) => blocks.View.BaseView.SubView((long)layer * Stride);

    /// <summary>Block numbers of a layer of one sequence.</summary>
    internal ArrayView<int> Row(int layer, int row) => Blocks(layer).SubView((long)row * RowEntries, Stride);

    /// <summary>Bounds of a layer, by sequence.</summary>
    internal ArrayView<ReadBounds> Bounds(int layer) => bounds.View.BaseView.SubView((long)layer * rows, rows);

    /// <summary>Puts a sequence into a row.</summary>
    internal void Upload(AcceleratorStream stream, int row, EvictingSequence sequence)
    {
        var layers = sequence.Layers;
        for (var layer = 0; layer < layers.Length; layer++)
        {
            Fill(format.Kept!, layer, CollectionsMarshal.AsSpan(layers[layer].Codes), staging[row].Span[(layer * Stride)..]);
            boundStaging[(layer * rows) + row] = new ReadBounds(layers[layer].CodedStart, layers[layer].CodedEnd);
        }

        blocks.View.BaseView.SubView((long)row * RowEntries).CopyFromPageLockedAsync(stream, staging[row], RowEntries);
        if (tokens is null || sequence.Tokens.IsEmpty)
            return;
        // Only coded tokens are asked for, and with every one that becomes coded the map changes.
        sequence.Tokens.CopyTo(tokenStaging[row].Span);
        tokens.View.BaseView.SubView((long)row * TokenStride).CopyFromPageLockedAsync(stream, tokenStaging[row], sequence.Tokens.Length);
    }

    /// <summary>After the last of them.</summary>
    internal void UploadBounds(AcceleratorStream stream) => bounds.View.BaseView.CopyFromPageLockedAsync(stream, boundStaging, boundStaging.Length);

    /// <summary>Writes block numbers of a layer as its readers look them up: by 32 tokens where it is quantised as in KIVI, else by 16.</summary>
    /// <returns>How many entries there are.</returns>
    internal static int Fill(KeptFormat kept, int layer, ReadOnlySpan<int> numbers, Span<int> target)
    {
        var parts = PartsOf(kept, layer);
        for (var i = 0; i < numbers.Length * parts; i++)
            target[i] = numbers[i / parts] == LayerBlocks.None ? LayerBlocks.None : (numbers[i / parts] * parts) + (i % parts);
        return numbers.Length * parts;
    }

    /// <summary>Entries of a coded block of a layer.</summary>
    internal static int PartsOf(KeptFormat kept, int layer) => kept.Code.CodedLayer[layer] < 0 ? 1 : kept.BlockTokens / CodedKvFormat.BlockTokens;

    public void Dispose()
    {
        foreach (var row in staging)
            row.Dispose();
        blocks.Dispose();
        boundStaging.Dispose();
        bounds.Dispose();
        foreach (var row in tokenStaging)
            row.Dispose();
        tokens?.Dispose();
    }

    private static int TokensOf(EvictionFormat format, int maxTokens) => format.Kept!.Code.RecomputesFirstLayer ? maxTokens : 0;

    private static int StrideOf(int maxTokens) => CodedKvFormat.Blocks(maxTokens, CodedKvFormat.BlockTokens);
}
