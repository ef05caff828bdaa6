using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>The plans of all layers and heads on the device, and what the launches must know of them.</summary>
internal sealed class LatentTables : IDisposable
{
    /// <summary>Most 16-byte pieces of a record that a head reads.</summary>
    internal const int MaxPieces = 40;

    /// <summary>Most sixteens of dimensions of the keys, or the values, of a head.</summary>
    internal const int MaxSteps = 32;

    private readonly List<IDisposable> buffers = [];
    private readonly LatentLayer[] layers;

    /// <param name="accelerator">Where the tables go.</param>
    /// <param name="codecs">One per compressed layer.</param>
    /// <param name="codes">What the codecs became on the device.</param>
    /// <param name="recomputed">Number of the layer that comes from a table of tokens; -1: none.</param>
    internal LatentTables(Accelerator accelerator, IReadOnlyList<LinearCodec> codecs, CodeTables codes, int recomputed = -1)
    {
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
                layer != recomputed && own.All(plan => plan.Pieces <= MaxPieces && Math.Max(plan.KeySteps, plan.ValueSteps) <= MaxSteps),
                own.Max(plan => plan.Pieces),
                own.Max(plan => plan.KeySteps),
                own.Max(plan => plan.ValueSteps),
                codec.Neighbours,
                IsFolded(codec));
        }

        Plans = Upload(accelerator, plans);
        Pieces = Upload(accelerator, pieces);
        Steps = Upload(accelerator, steps);
    }

    internal ArrayView<LatentPlan> Plans { get; }

    internal ArrayView<int> Pieces { get; }

    /// <summary>
    /// (word, mask or 0 for halves, scale, shift | shift of the second pair &lt;&lt; 8); the scale is its word in the record, or itself, or for folded layers what is added
    /// to 1024 and the integer.
    /// </summary>
    internal ArrayView<UInt4> Steps { get; }

    /// <summary>What the launch of a layer depends on.</summary>
    internal LatentLayer Layer(int layer) => layers[layer];

    public void Dispose() => buffers.ForEach(buffer => buffer.Dispose());

    private static LatentPlan Plan(LinearCodec codec, CodeTables codes, int layer, int head, List<int> pieces, List<UInt4> steps)
    {
        var key = codes.Parts[(layer * 2 * codec.KeyHeads) + head];
        var value = codes.Parts[(layer * 2 * codec.KeyHeads) + codec.KeyHeads + head];
        var code = codes.Layers[layer];
        var plan = new LatentPlan
        {
            FirstPiece = pieces.Count,
            FirstStep = steps.Count,
            KeySteps = key.Steps,
            WideKeySteps = key.WidePairs,
            ValueSteps = value.Steps,
            KeyUp = key.FirstUp,
            ValueUp = value.FirstUp,
            HasScales = code.ScaleWord >= 0 ? 1 : 0,
        };
        // A word of a record by its place among the copied pieces.
        var places = new Dictionary<int, int>();
        AddSteps(key);
        AddSteps(value);
        for (var word = code.IdWord; word < code.IdWord + ((codec.Neighbours + 1) / 2); word++)
            Place(word);
        plan.Pieces = pieces.Count - plan.FirstPiece;
        return plan;

        int Place(int word)
        {
            if (!places.TryGetValue(word / 4, out var piece))
            {
                piece = places.Count;
                places.Add(word / 4, piece);
                pieces.Add(word / 4);
            }

            return (piece * 4) + (word % 4);
        }

        void AddSteps(PartCode part)
        {
            var word = part.FirstWord;
            for (var i = 0; i < part.WidePairs; i++, word += 8)
            {
                // Its second half must follow, as it does: the pieces of a part are placed in order.
                steps.Add(new UInt4((uint)Place(word), 0, 0, 0));
                Place(word + 4);
            }

            var scale = part.FirstScale;
            AddIntegers(part.ByteChunks, 8, 0x00ff00ff, 1, 128f);
            AddIntegers(part.NibbleChunks, 4, 0x000f000f, 2, 8f);
            AddIntegers(part.CrumbChunks, 2, 0x00030003, 4, 1.5f);

            void AddIntegers(int chunks, int bits, uint mask, int perChunk, float offset)
            {
                for (var i = 0; i < chunks; i++, word += 4, scale++)
                {
                    for (var step = 0; step < perChunk; step++)
                    {
                        steps.Add(new UInt4(
                            (uint)Place(word),
                            mask,
                            code.ScaleWord >= 0 ? (uint)Place(code.ScaleWord + (scale * code.ScaleStride))
                            : IsFolded(codec) ? Half2.FromSingles(-1024f - offset, -1024f - offset).Bits
                            : Half2.FromSingles(1f, -offset).Bits,
                            (uint)((2 * bits * step) | (((2 * bits * step) + bits) << 8))));
                    }
                }
            }
        }
    }

    // Crumbs are offset by a half.
    private static bool IsFolded(LinearCodec codec) =>
        codec.Scales == CodeScales.Static && !codec.Groups.Any(group => group.Chunks.Contains(ChunkWidth.Bits2));

    private ArrayView<T> Upload<T>(Accelerator accelerator, List<T> values)
        where T : unmanaged
    {
        // An empty table still needs an address.
        var buffer = values.Count == 0 ? accelerator.Allocate1D<T>(1) : accelerator.Allocate1D(values.ToArray());
        buffers.Add(buffer);
        return buffer.View;
    }
}
