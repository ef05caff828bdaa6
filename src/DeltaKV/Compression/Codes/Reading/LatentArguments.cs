using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>What the kernels of <see cref="LatentDecode"/> take.</summary>
internal struct LatentArguments
{
    /// <summary>Codes, references, matrices.</summary>
    public CodePoolView Pool;

    /// <summary>The layer's raw blocks: sinks and window.</summary>
    public KvBlocks<BFloat16x8> Raw;

    /// <summary>By layer and key head.</summary>
    public ArrayView<LatentPlan> Plans;

    /// <summary>Pieces of records that heads read.</summary>
    public ArrayView<int> Pieces;

    /// <summary>Where sixteens of dimensions are.</summary>
    public ArrayView<UInt4> Steps;

    /// <summary>Sequence and position of every row.</summary>
    public TokenRows Rows;

    /// <summary>Which tokens are read.</summary>
    public TokenOrder Order;

    /// <summary>q, k, v side by side <c>[rows, qkvWidth]</c>, q rotated; 16 bytes of bf16.</summary>
    public ArrayView<UInt4> Qkv;

    /// <summary>Attention output <c>[rows, queryHeads * headDim]</c>.</summary>
    public ArrayView<BFloat16> Output;

    /// <summary>Unnormalised sums of weighted codes <c>[rows, queryHeads, splits, latentStride]</c>.</summary>
    public ArrayView<float> PartialLatent;

    /// <summary>Unnormalised sums of weighted references' values <c>[rows, queryHeads, splits, headDim]</c>.</summary>
    public ArrayView<float> PartialReferences;

    /// <summary>(largest score, sum of exponentials), base 2, <c>[rows, queryHeads, splits + 1]</c>; the last is that of the raw tokens.</summary>
    public ArrayView<Float2> PartialSoftmax;

    /// <summary>Unnormalised sums of weighted values <c>[rows, queryHeads, parts, headDim]</c>; the last part is that of the raw tokens.</summary>
    public ArrayView<float> PartialRaw;

    /// <summary>Parts of <see cref="PartialRaw"/>: 1 where coded tokens are summed as codes.</summary>
    public int RawParts;

    /// <summary>Where scores of coded tokens are left behind for a selection, if anybody asks for them.</summary>
    public TokenLogits Logits;

    /// <summary>Natural logarithm of the softmax denominator <c>[rows, queryHeads]</c>, or an empty view.</summary>
    public ArrayView<float> LogSumExp;

    /// <summary>Bits of the scores of coded tokens <c>[rows, lists, stride]</c>, where tokens are scored.</summary>
    public ArrayView<uint> Scores;

    /// <summary>Entries of a list of scores.</summary>
    public int ScoreStride;

    /// <summary>1: scores of all heads together; otherwise a list per key/value head.</summary>
    public int Lists;

    /// <summary>Number among the compressed layers.</summary>
    public int Layer;

    /// <summary>Query heads.</summary>
    public int QueryHeads;

    /// <summary>Key/value heads.</summary>
    public int KeyHeads;

    /// <summary>Groups that share the coded tokens of a row and head.</summary>
    public int Splits;

    /// <summary>Entries of a row of <see cref="PartialLatent"/>.</summary>
    public int LatentStride;

    /// <summary>16-byte pieces of a token in shared memory, the most that a head reads.</summary>
    public int TokenPieces;

    /// <summary>16-byte pieces of the keys' up matrix in shared memory.</summary>
    public int UpPieces;

    /// <summary>Tiles' codes in shared memory: 3 or 2, so that those of the next tiles are on their way, or 1: then the next one's keys come while values are added, and its values while keys are scored, if they lie apart.</summary>
    public int Stages;

    /// <summary><c>log2(e) / sqrt(headDim)</c>.</summary>
    public float Scale;
}
