using System.Collections.Immutable;
using DeltaKV.Compression.Codes;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>The weighted transform's codecs of a plan.</summary>
internal sealed record KltCalibration
{
    /// <summary>Ids are padded to a record's 16 bytes.</summary>
    private const int IdBytes = 16;

    /// <summary>The choices.</summary>
    public required CodecPlan Plan { get; init; }

    /// <summary>Bytes of codes per token over all coded layers, references and their ids included.</summary>
    public int BytesPerToken { get; init; }

    /// <summary>What heads keep; null: all are coded. Layers that keep nothing have no statistics here.</summary>
    public HeadTable? Heads { get; init; }

    /// <summary>A token's share of one layer's reference.</summary>
    public double ReferenceBytes { get; init; }

    /// <summary>The transforms alone, to be quantised for several budgets.</summary>
    public LayerTransform[][] Transforms(IReadOnlyList<LayerStatistics?> statistics)
    {
        var jobs = Enumerable.Range(0, statistics.Count).Where(layer => statistics[layer] is not null)
            .SelectMany(layer => Sources.Select(residuals => (Layer: layer, Residuals: residuals))).ToArray();
        var solved = new LayerTransform[jobs.Length];
        Parallel.For(0, jobs.Length, i =>
            solved[i] = WeightedKlt.Solve(statistics[jobs[i].Layer]!, Plan.Ridge, Plan.TokenWeighting, Plan.Metric, jobs[i].Residuals, Apart(jobs[i].Layer)));
        return [.. Enumerable.Range(0, statistics.Count).Select(layer => solved.Where((_, i) => jobs[i].Layer == layer).ToArray())];
    }

    /// <summary>The transforms with the errors that their dimensions have at each width.</summary>
    public LayerCandidate[][] Candidates(LayerTransform[][] transforms)
    {
        var result = new LayerCandidate[transforms.Length][];
        Parallel.For(0, transforms.Length, i => result[i] = [.. transforms[i].Select(transform => new LayerCandidate(
            transform, transform.OfResiduals ? Plan.Neighbours : 0, (transform.OfResiduals ? IdBytes + (int)Math.Ceiling(ReferenceBytes) : 0) + RawBytes(i, transform),
            Rates(transform)))]);
        return result;
    }

    /// <summary>Chooses among candidates, and their widths and steps.</summary>
    public LinearCodec?[] Choose(IReadOnlyList<LayerStatistics?> statistics, LayerCandidate[][] candidates)
    {
        var options = candidates.Select(layer => layer.Select(c => new LayerOption(c.OverheadBytes, c.Rates)).ToArray()).ToArray();
        var allocations = Plan.Allocation == ByteAllocation.Global
            ? ChunkAllocator.Allocate(options, BytesPerToken)
            : Equal(options);
        return [.. allocations.Select((a, i) => a.Option < 0 ? null : WithHeads(i, Codec(candidates[i][a.Option], statistics[i]!.Geometry, a.Chunks)))];
    }

    private ulong Apart(int layer) => Heads is null ? 0 : HeadTable.Apart(Heads.Layers[layer]);

    private LinearCodec WithHeads(int layer, LinearCodec codec) => Heads is null ? codec : HeadTable.Apply(Heads.Layers[layer], codec);

    private int RawBytes(int layer, LayerTransform transform) =>
        Heads is null ? 0 : HeadTable.RawBytes(Heads.Layers[layer], transform.Mean.Length / 2 / Heads.Layers[layer].Length);

    private bool[] Sources => Plan.References switch
    {
        ReferenceUse.None => [false],
        ReferenceUse.All => [true],
        _ => [false, true],
    };

    /// <summary>As many whole chunks for every layer; the first ones get what is left over.</summary>
    private LayerAllocation[] Equal(LayerOption[][] options)
    {
        var (coded, chunks) = (options.Count(layer => layer.Length > 0), BytesPerToken / ChunkAllocator.ChunkBytes);
        var index = 0;
        return [.. options.Select(layer =>
        {
            if (layer.Length == 0)
                return new LayerAllocation(-1, []);
            var share = (chunks / coded) + (index++ < chunks % coded ? 1 : 0);
            return ChunkAllocator.Allocate([layer], share * ChunkAllocator.ChunkBytes)[0];
        })];
    }

    private DimensionRate[] Rates(LayerTransform transform) =>
        [.. transform.Coordinates.Select(samples =>
        {
            QuantizerFit Fit(ChunkWidth width) => UniformQuantizer.Fit(samples, transform.Weights, width, Plan.Headroom);

            return new DimensionRate(
                UniformQuantizer.ErrorOfNothing(samples, transform.Weights), Fit(ChunkWidth.Bits2), Fit(ChunkWidth.Bits4), Fit(ChunkWidth.Bits8));
        })];

    private static LinearCodec Codec(LayerCandidate candidate, AttentionGeometry geometry, ImmutableArray<ChunkWidth> chunks)
    {
        var (width, transform) = (geometry.Width, candidate.Transform);
        var widths = chunks.SelectMany(chunk => Enumerable.Repeat(chunk, CodeGroup.DimensionsOf(chunk))).ToArray();
        var down = new float[widths.Length * width];
        var up = new float[down.Length];
        for (var i = 0; i < Math.Min(widths.Length, candidate.Rates.Length); i++)
        {
            var step = candidate.Rates[i].At(widths[i]).Step;
            for (var j = 0; j < width; j++)
            {
                // Kernels hold the matrices as halves; what is calibrated is what runs.
                down[i * width + j] = (float)(Half)(transform.Encoder[i][j] / step);
                up[i * width + j] = (float)(Half)(transform.Decoder[i][j] * step);
            }
        }

        return new LinearCodec
        {
            KeyHeads = geometry.KvHeads,
            HeadDim = geometry.HeadDim,
            Groups = [new CodeGroup(0, width, chunks, down, up)],
            Mean = Array.ConvertAll(transform.Mean, value => (float)value),
            Neighbours = candidate.Neighbours,
        };
    }
}
