using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>The plans of all layers and heads on the device, and what the launches must know of them.</summary>
internal sealed class LatentTables : IDisposable
{
    /// <summary>Most 16-byte pieces of a record that a head reads.</summary>
    internal const int MaxPieces = 40;

    /// <summary>Most sixteens of dimensions of the keys, or the values, of a head.</summary>
    internal const int MaxSteps = 32;

    private readonly DeviceBuffers buffers;
    private readonly LatentLayer[] layers;

    /// <param name="accelerator">Where the tables go.</param>
    /// <param name="codecs">One per compressed layer.</param>
    /// <param name="codes">What the codecs became on the device.</param>
    /// <param name="recomputed">Number of the layer that comes from a table of tokens; -1: none.</param>
    internal LatentTables(Accelerator accelerator, IReadOnlyList<LinearCodec> codecs, CodeTables codes, int recomputed = -1)
    {
        buffers = new DeviceBuffers(accelerator);
        var plans = new List<LatentPlan>();
        var pieces = new List<int>();
        var steps = new List<UInt4>();
        layers = new LatentLayer[codecs.Count];
        for (var layer = 0; layer < codecs.Count; layer++)
        {
            var codec = codecs[layer];
            var first = plans.Count;
            for (var head = 0; head < codec.KeyHeads; head++)
                plans.Add(Plan(codec, codes, layer, head, pieces, steps));
            var own = plans[first..];
            layers[layer] = new LatentLayer(
                layer != recomputed && !codec.HasHiddenDecoder && own.All(plan => plan.Pieces <= MaxPieces && Math.Max(plan.KeySteps, plan.ValueSteps) <= MaxSteps),
                own.Max(plan => plan.Pieces),
                own.Max(plan => plan.KeySteps),
                own.Max(plan => plan.ValueSteps),
                codec.Neighbours,
                codec.HistoryHeads,
                IsFolded(codec));
        }

        Plans = buffers.Upload(plans);
        Pieces = buffers.Upload(pieces);
        Steps = buffers.Upload(steps);
    }

    internal ArrayView<LatentPlan> Plans { get; }

    internal ArrayView<int> Pieces { get; }

    /// <summary>
    /// Of the values: (word of a warp's tile, mask or 0 for halves, scale, shift | shift of the second pair &lt;&lt; 8); the scale is its word, or itself, or for
    /// folded layers what is added to 1024 and the integer. Where the shifts are those of <see cref="CodeWord.UpperOctals(uint, uint, int)"/>, the tail's word is in the upper half behind them.
    /// </summary>
    internal ArrayView<UInt4> Steps { get; }

    /// <summary>What the launch of a layer depends on.</summary>
    internal LatentLayer Layer(int layer) => layers[layer];

    public void Dispose() => buffers.Dispose();

    private static LatentPlan Plan(LinearCodec codec, CodeTables codes, int layer, int head, List<int> pieces, List<UInt4> steps)
    {
        if (!codec.KeepsHistory(head))
            return default;
        var key = codes.Parts[(layer * 2 * codec.KeyHeads) + head];
        var value = codes.Parts[(layer * 2 * codec.KeyHeads) + codec.KeyHeads + head];
        var code = codes.Layers[layer];
        var (copied, ofValue) = (new CopiedPieces(), new CopiedPieces());
        Add(key, copied);
        var keyPieces = copied.Pieces.Count;
        Add(value, copied);
        Add(value, ofValue);
        var areApart = copied.Pieces.Count == keyPieces + ofValue.Pieces.Count;
        copied.AddWords(code.IdWord, (codec.Neighbours + 1) / 2);
        var plan = new LatentPlan
        {
            FirstPiece = pieces.Count,
            Pieces = copied.Pieces.Count,
            KeyPieces = areApart ? keyPieces : 0,
            KeySteps = key.Steps,
            WidePairs = key.WidePairs,
            ByteChunks = key.ByteChunks,
            NibbleChunks = key.NibbleChunks,
            OctalChunks = key.OctalChunks,
            KeyTail = key.OctalChunks > 0 ? copied.WordOf(key.FirstTail) : 0,
            CrumbChunks = key.CrumbChunks,
            KeyUp = key.FirstUp,
            KeyScale = code.ScaleWord >= 0 && IntegersOf(key) > 0 ? copied.WordOf(code.ScaleWord + (key.FirstScale * code.ScaleStride)) : -1,
            ScaleStride = code.ScaleStride,
            IdWord = codec.Neighbours > 0 ? copied.WordOf(code.IdWord) : 0,
            FirstStep = steps.Count,
            ValueSteps = value.Steps,
            ValueUp = value.FirstUp,
        };
        pieces.AddRange(copied.Pieces);
        AddValueSteps(codec, code, value, copied, steps);
        return plan;

        void Add(PartCode part, CopiedPieces target)
        {
            target.AddWords(part.FirstWord, 4 * ChunksOf(part));
            target.AddWords(part.FirstTail, 2 * part.OctalChunks);
            if (code.ScaleWord >= 0)
                target.AddWords(code.ScaleWord + (part.FirstScale * code.ScaleStride), code.ScaleStride == 0 ? 1 : IntegersOf(part));
        }
    }

    private static void AddValueSteps(LinearCodec codec, LayerCode code, PartCode part, CopiedPieces copied, List<UInt4> steps)
    {
        var word = part.FirstWord;
        for (var i = 0; i < part.WidePairs; i++, word += 8)
            steps.Add(new UInt4((uint)TileWord(copied.WordOf(word)), 0, 0, 0));
        var scale = part.FirstScale;
        AddIntegers(part.ByteChunks, 8, 0x00ff00ff, 128f);
        AddIntegers(part.NibbleChunks, 4, 0x000f000f, 8f);
        for (var i = 0; i < part.OctalChunks; i++, word += 4, scale++)
        {
            AddPairs(6, 3, 0x00070007, 4f, 0);
            AddPairs(6, 3, 0x00070007, 4f, TileWord(copied.WordOf(part.FirstTail + (2 * i))));
        }

        AddIntegers(part.CrumbChunks, 2, 0x00030003, 1.5f);

        void AddIntegers(int chunks, int bits, uint mask, float offset)
        {
            for (var i = 0; i < chunks; i++, word += 4, scale++)
                AddPairs(16 - (2 * bits), bits, mask, offset, 0);
        }

        void AddPairs(int lastShift, int bits, uint mask, float offset, int tail)
        {
            var stored = code.ScaleWord >= 0 ? (uint)TileWord(copied.WordOf(code.ScaleWord + (scale * code.ScaleStride)))
                : IsFolded(codec) ? Half2.FromSingles(-1024f - offset, -1024f - offset).Bits
                : Half2.FromSingles(1f, -offset).Bits;
            for (var shift = 0; shift <= lastShift; shift += 2 * bits)
                steps.Add(new UInt4((uint)TileWord(copied.WordOf(word)), mask, stored, (uint)(shift | ((shift + bits) << 8) | (tail << 16))));
        }
    }

    /// <summary>Where a copied word of a warp's first token lies: pieces of 32 tokens follow each other.</summary>
    private static int TileWord(int word) => (word / 4 * LatentDecodeKernel.WarpTokens * 4) + (word % 4);

    private static int ChunksOf(PartCode part) => (2 * part.WidePairs) + IntegersOf(part);

    private static int IntegersOf(PartCode part) => part.ByteChunks + part.NibbleChunks + part.OctalChunks + part.CrumbChunks;

    // Crumbs are offset by a half.
    private static bool IsFolded(LinearCodec codec) =>
        codec.Scales == CodeScales.Static && !codec.Groups.Any(group => group.Chunks.Contains(ChunkWidth.Bits2));

    /// <summary>16-byte pieces of a record, each copied once, in order of first use.</summary>
    private sealed class CopiedPieces
    {
        internal List<int> Pieces { get; } = [];

        internal void AddWords(int first, int count)
        {
            for (var piece = first / 4; count > 0 && piece <= (first + count - 1) / 4; piece++)
            {
                if (!Pieces.Contains(piece))
                    Pieces.Add(piece);
            }
        }

        /// <summary>A word of the record by its place among the copied ones.</summary>
        internal int WordOf(int word) => (Pieces.IndexOf(word / 4) * 4) + (word % 4);
    }
}
