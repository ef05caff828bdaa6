using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>The tokens of one flush pass and the room to work on them; on the device.</summary>
internal struct FlushView
{
    /// <summary>Codes, references and tables.</summary>
    public CodePoolView Pool;

    /// <summary>What to compress.</summary>
    public ArrayView<FlushItem> Items;

    /// <summary>Who searches together.</summary>
    public ArrayView<SearchGroup> Groups;

    /// <summary>Units of all layers.</summary>
    public ArrayView<EncodeUnit> Units;

    /// <summary>Down matrices in fragment order.</summary>
    public ArrayView<UInt4> Down;

    /// <summary>What encoding subtracts <c>[layers, width]</c>.</summary>
    public ArrayView<float> Center;

    /// <summary>Means of the references as pairs of halves <c>[layer][item][16][width / 2]</c>, of layers with features.</summary>
    public ArrayView<uint> Bases;

    /// <summary>Features less those of the references as pairs of halves <c>[layer][item][16][feature width / 2]</c>.</summary>
    public ArrayView<uint> Features;

    /// <summary>The most features of a layer; 0: all encoders are linear.</summary>
    public int FeatureWidth;

    /// <summary>Pre-RoPE kv as pairs of halves <c>[layer][item][16][width / 2]</c>.</summary>
    public ArrayView<uint> Rows;

    /// <summary>What the search found <c>[layer][item][16][splits][4]</c>.</summary>
    public ArrayView<Candidate> Candidates;

    /// <summary>References from which on a search has two levels; 0: always one.</summary>
    public int TwoLevelFrom;

    /// <summary>Sketches of the tokens, in sixteens of bytes <c>[layer][item][16][sketch width / 16]</c>; where there is a second level.</summary>
    public ArrayView<UInt4> Sketches;

    /// <summary>What a unit of a token's sketch stands for <c>[layer][item][16]</c>.</summary>
    public ArrayView<float> SketchSteps;

    /// <summary>Sketches of references, in the places of their rows.</summary>
    public ArrayView<UInt4> ReferenceSketches;

    /// <summary>Steps and squared norms of the sketches of references.</summary>
    public ArrayView<Float2> ReferenceScales;

    /// <summary>References that may be near <c>[layer][item][16][candidates]</c>; -1: none.</summary>
    public ArrayView<int> CoarseCandidates;

    /// <summary>Items of this pass.</summary>
    public int ItemCount;

    /// <summary>Groups that share the references of a search.</summary>
    public int Splits;

    /// <summary>Positions from one reference to the next.</summary>
    public int Stride;

    /// <summary>First coded position: reference r is the token at <c>Origin + r * Stride</c>. A multiple of 16.</summary>
    public int Origin;

    /// <summary>Elements of a head.</summary>
    public int HeadDim;

    /// <summary>Elements of a kv row.</summary>
    public readonly int Width => 2 * Pool.KeyHeads * HeadDim;

    /// <summary>Chunks of eight elements that an encoder's input has at most.</summary>
    public readonly int InputChunks => Math.Max(Width, FeatureWidth) / 8;

    /// <summary>Whether an item has so many references behind it that they are searched in two levels.</summary>
    public readonly bool IsLong(FlushItem item) => TwoLevelFrom > 0 && ((item.Position + 15 - Origin) / Stride) + 1 > TwoLevelFrom;

    /// <summary>Number of a token of an item among all rows.</summary>
    public readonly int RowOf(int layer, int item, int token) => (((layer * ItemCount) + item) * 16) + token;
}
