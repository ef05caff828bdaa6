using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>Shared memory of a group of <see cref="LatentDecodeKernel"/>.</summary>
internal struct LatentShared
{
    /// <summary>The keys' up matrix in fragments.</summary>
    public ArrayView<UInt4> Up;

    /// <summary>Records of a tile or two <c>[stage][warp][piece][32 tokens]</c> of 16 bytes: the words of eight tokens lie in different banks.</summary>
    public ArrayView<uint> Codes;

    /// <summary>The values' steps.</summary>
    public ArrayView<UInt4> Steps;

    /// <summary>The head's pieces.</summary>
    public ArrayView<int> Pieces;

    /// <summary>Rotations by every distance within a warp's tokens: <see cref="KeyTurns"/>.</summary>
    public ArrayView<UInt4> Rope;

    /// <summary>Cosines and sines of the position of a warp's first token, pairs of halves <c>[warps][pass][cosines, sines][16]</c>.</summary>
    public ArrayView<uint> Turns;

    /// <summary>RoPE's angle per position.</summary>
    public ArrayView<float> Frequencies;

    /// <summary>The keys' mean in halves, eight elements as lanes have them <c>[pass][lower, upper][4]</c>.</summary>
    public ArrayView<UInt4> Mean;

    /// <summary>Queries in the order of lanes, halves <c>[pass][lower, upper][32]</c>.</summary>
    public ArrayView<UInt4> Queries;

    /// <summary>Softmax weights of the tile, pairs of halves <c>[8][WeightStride]</c>.</summary>
    public ArrayView<uint> Weights;

    /// <summary>Largest scores by warp and pair of heads.</summary>
    public ArrayView<Float2> Maxima;

    /// <summary>Rows of the references of the tile's tokens <c>[tokens][4]</c>, where there are references.</summary>
    public ArrayView<int> References;

    /// <summary>Words from head to head of a tile's weights: eight heads' lie in different banks.</summary>
    internal const int WeightStride = (LatentDecodeKernel.TileTokens / 2) + 4;

    internal static LatentShared Allocate<THead, TReferences>(int upPieces)
        where THead : struct, IHead
        where TReferences : struct, LatentDecodeKernel.IReferences
    {
        var dynamic = SharedMemory.GetDynamic<UInt4>();
        return new LatentShared
        {
            Up = dynamic,
            Codes = dynamic.SubView((long)upPieces).Cast<uint>(),
            Steps = SharedMemory.Allocate<UInt4>(LatentTables.MaxSteps),
            Pieces = SharedMemory.Allocate<int>(LatentTables.MaxPieces),
            Rope = SharedMemory.Allocate<UInt4>(LatentDecodeKernel.WarpTokens * KeyTurns.Stride<THead>()),
            Turns = SharedMemory.Allocate<UInt4>(LatentDecodeKernel.Warps * THead.Dim / 8).Cast<uint>(),
            Frequencies = SharedMemory.Allocate<float>(THead.Dim / 2),
            Mean = SharedMemory.Allocate<UInt4>(THead.Dim / 8),
            Queries = SharedMemory.Allocate<UInt4>(THead.Dim / 64 * 64),
            Weights = SharedMemory.Allocate<uint>(8 * WeightStride),
            References = SharedMemory.Allocate<int>(TReferences.Bits > 0 ? 4 * LatentDecodeKernel.TileTokens : 4),
            Maxima = SharedMemory.Allocate<Float2>(LatentDecodeKernel.Warps * 4),
        };
    }
}
