using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.Codes;

/// <summary>The codecs of all compressed layers as kernels want them: tables, and matrices in the order of tensor-core fragments.</summary>
internal sealed class CodeTables : IDisposable
{
    private readonly DeviceBuffers buffers;

    /// <param name="accelerator">Where the tables go.</param>
    /// <param name="codecs">One per compressed layer, all of the same heads.</param>
    /// <param name="recomputed">Number of the layer that comes from a table of tokens; -1: none. Its codec has no chunks.</param>
    /// <param name="isApart">Whether every layer has blocks of its own; else a block holds all layers.</param>
    internal CodeTables(Accelerator accelerator, IReadOnlyList<LinearCodec> codecs, int recomputed = -1, bool isApart = false)
    {
        ArgumentOutOfRangeException.ThrowIfZero(codecs.Count, nameof(codecs));
        buffers = new DeviceBuffers(accelerator);
        (KeyHeads, HeadDim) = (codecs[0].KeyHeads, codecs[0].HeadDim);
        var up = new List<UInt4>();
        var down = new List<UInt4>();
        var layers = new List<LayerCode>();
        var parts = new List<PartCode>();
        var units = new List<EncodeUnit>();
        var means = new List<float>();
        var centers = new List<float>();
        var features = new FeatureTables();
        foreach (var codec in codecs)
        {
            codec.Validate();
            if (codec.KeyHeads != KeyHeads || codec.HeadDim != HeadDim)
                throw new ArgumentException($"Codecs for {codec.KeyHeads} x {codec.HeadDim} and {KeyHeads} x {HeadDim} heads do not go together.");
            var layout = RecordLayout.Of(codec);
            var firstUnit = units.Count;
            AddGroups(codec, layout, up, down, parts, units);
            features.Add(layers.Count, codec);
            centers.AddRange(codec.Mean);
            means.AddRange(codec.Mean.Select((mean, i) => mean + (codec.Offset?[i] ?? 0f)));
            layers.Add(new LayerCode
            {
                FirstWord = isApart ? 0 : BlockWords,
                RecordWords = layout.Words,
                ScaleWord = layout.ScaleCount == 0 ? -1 : layout.ScaleWord,
                ScaleStride = codec.Scales == CodeScales.PerChunk ? 1 : 0,
                IdWord = layout.IdWord,
                Neighbours = layers.Count == recomputed ? LayerCode.Recomputed : codec.Neighbours,
                ReferenceLayer = ReferenceLayers,
                FirstUnit = firstUnit,
                UnitCount = units.Count - firstUnit,
                FeatureCount = codec.FeatureCount,
            });
            BlockWords += BlockTokens * layout.Words;
            ReferenceLayers += codec.Neighbours > 0 ? 1 : 0;
        }

        Layers = layers;
        Parts = parts;
        LayerCodes = buffers.Upload(layers);
        PartCodes = buffers.Upload(parts);
        Units = buffers.Upload(units);
        Up = buffers.Upload(up);
        Down = buffers.Upload(down);
        Mean = buffers.Upload(means);
        Center = buffers.Upload(centers);
        FeatureWidth = codecs.Max(codec => codec.FeatureCount);
        (GatedCount, SmoothCount) = (features.Gated.Count, features.Smooth.Count);
        (GatedUnits, SmoothUnits) = (buffers.Upload(features.Gated), buffers.Upload(features.Smooth));
        (FeatureWeights, FeatureBiases) = (buffers.Upload(features.Weights), buffers.Upload(features.Biases));
    }

    /// <summary>Tokens of a block of codes, or references of a block of references.</summary>
    internal static int BlockTokens => 16;

    internal int KeyHeads { get; }

    internal int HeadDim { get; }

    internal int Width => 2 * KeyHeads * HeadDim;

    /// <summary>Words of a block of 16 tokens over all layers.</summary>
    internal int BlockWords { get; }

    /// <summary>Layers with references.</summary>
    internal int ReferenceLayers { get; }

    internal IReadOnlyList<LayerCode> Layers { get; }

    /// <summary>By compressed layer and part (keys of the heads, then values).</summary>
    internal IReadOnlyList<PartCode> Parts { get; }

    internal ArrayView<LayerCode> LayerCodes { get; }

    internal ArrayView<PartCode> PartCodes { get; }

    internal ArrayView<EncodeUnit> Units { get; }

    internal ArrayView<UInt4> Up { get; }

    internal ArrayView<UInt4> Down { get; }

    /// <summary>What decoding starts from: means, and offsets where there are any.</summary>
    internal ArrayView<float> Mean { get; }

    /// <summary>What encoding subtracts.</summary>
    internal ArrayView<float> Center { get; }

    /// <summary>The most features of a layer.</summary>
    internal int FeatureWidth { get; }

    /// <summary>Groups with SwiGLU features.</summary>
    internal ArrayView<FeatureUnit> GatedUnits { get; }

    internal int GatedCount { get; }

    /// <summary>Groups with GELU features.</summary>
    internal ArrayView<FeatureUnit> SmoothUnits { get; }

    internal int SmoothCount { get; }

    /// <summary>Weights of all features, rows of halves.</summary>
    internal ArrayView<UInt4> FeatureWeights { get; }

    internal ArrayView<float> FeatureBiases { get; }

    /// <summary>What kernels must know of the codecs; where records and references lie is the caller's to say.</summary>
    internal CodePoolView View(ArrayView<float> inverseFrequencies, float ropeScale = 1f) => new()
    {
        BlockWords = BlockWords,
        Layers = Layers.Count,
        ReferenceLayers = ReferenceLayers,
        KeyHeads = KeyHeads,
        LayerCodes = LayerCodes,
        PartCodes = PartCodes,
        Up = Up,
        Mean = Mean.Cast<Float2>(),
        InverseFrequencies = inverseFrequencies,
        RopeScale = ropeScale,
    };

    public void Dispose() => buffers.Dispose();

    private static void AddGroups(
        LinearCodec codec, RecordLayout layout, List<UInt4> up, List<UInt4> down, List<PartCode> parts, List<EncodeUnit> units)
    {
        var chunk = 0;
        var scale = 0;
        var feature = 0;
        var tails = RecordLayout.FirstTails(codec);
        // A part that no group decodes is never read.
        var own = new PartCode[2 * codec.KeyHeads];
        for (var g = 0; g < codec.Groups.Length; g++)
        {
            var group = codec.Groups[g];
            var tail = layout.TailWord + (2 * tails[g]);
            var wide = group.Chunks.Count(width => width == ChunkWidth.Bits16);
            for (var start = 0; start < group.Length; start += codec.HeadDim)
            {
                var part = (group.Start + start) / codec.HeadDim;
                if (codec.DecoderOf(part) != g)
                    continue;
                own[part] = new PartCode
                {
                    FirstWord = chunk * 4,
                    WidePairs = wide / 2,
                    ByteChunks = group.Chunks.Count(width => width == ChunkWidth.Bits8),
                    NibbleChunks = group.Chunks.Count(width => width == ChunkWidth.Bits4),
                    OctalChunks = group.Chunks.Count(width => width == ChunkWidth.Bits3),
                    FirstTail = tail,
                    CrumbChunks = group.Chunks.Count(width => width == ChunkWidth.Bits2),
                    FirstScale = scale,
                    Steps = group.Dimensions / 16,
                    FirstUp = up.Count,
                };
                // What a hidden layer comes before is no matter of fragments.
                if (group.Decoder is null)
                    CodeFragments.AddUp(up, group, start, codec.HeadDim);
            }

            var dimension = 0;
            for (var i = 0; i < group.Chunks.Length;)
            {
                var width = group.Chunks[i];
                units.Add(new EncodeUnit
                {
                    Width = (int)width,
                    FirstWord = (chunk + i) * 4,
                    TailWord = tail,
                    Scale = layout.ScaleCount > 1 ? scale : 0,
                    FirstStep = (group.Features is null ? group.Start : feature) / 16,
                    Steps = group.Inputs / 16,
                    FirstDown = down.Count,
                });
                CodeFragments.AddDown(down, group, width, dimension);
                var chunks = width == ChunkWidth.Bits16 ? 2 : 1;
                dimension += chunks * CodeGroup.DimensionsOf(width);
                scale += width == ChunkWidth.Bits16 ? 0 : 1;
                tail += width == ChunkWidth.Bits3 ? 2 : 0;
                i += chunks;
            }

            chunk += group.Chunks.Length;
            feature += group.Features?.Count ?? 0;
        }

        parts.AddRange(own);
    }
}
