using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.Kivi;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Everything that decides a codec once documents have been read.</summary>
internal sealed record CodecPlan
{
    private const double WindowShare = 0.375;

    /// <summary>The kind of codec.</summary>
    public CalibratedCodec Kind { get; init; }

    /// <summary>Target: bytes held at <see cref="At"/> tokens, everything counted, as a share of the uncompressed cache. Null: <see cref="Bits"/> decides.</summary>
    public double? Share { get; init; } = 0.06;

    /// <summary>Tokens of the sequence that <see cref="Share"/> is measured on: windows weigh more in short ones.</summary>
    public int At { get; init; } = 4096;

    /// <summary>Target: bits of codes per token and coded layer, on average, references included; windows and full layers are not counted.</summary>
    public int? Bits { get; init; }

    /// <summary>Whether the codec is trained by gradients.</summary>
    public bool IsTrained => Kind is CalibratedCodec.SwiGlu or CalibratedCodec.Gelu;

    /// <summary>Latents of every kind but <see cref="CalibratedCodec.Klt"/>.</summary>
    public int Latents { get; init; } = 128;

    /// <summary>Bits of a latent.</summary>
    public ChunkWidth LatentWidth { get; init; } = ChunkWidth.Bits4;

    /// <summary>Which layers have references.</summary>
    public ReferenceUse References { get; init; }

    /// <summary>References of a token in those layers.</summary>
    public int Neighbours { get; init; } = 4;

    /// <summary>What stays raw and what references are.</summary>
    public CodedKvOptions Options { get; init; } = new();

    /// <summary>Layers that are not coded.</summary>
    public LayerSet FullLayers { get; init; } = LayerSet.None;

    /// <summary>How they are kept: raw, or quantised as in KIVI.</summary>
    public LayerTreatment Full { get; init; }

    /// <summary>Layers whose attention may choose the tokens that the layers after them read.</summary>
    public LayerSet Observers { get; init; } = LayerSet.Automatic;

    /// <summary>Which heads keep history.</summary>
    public HeadChoice Heads { get; init; } = HeadChoice.All;

    /// <summary>What errors are measured by.</summary>
    public SensitivityMetric Metric { get; init; }

    /// <summary>How bytes are shared among layers.</summary>
    public ByteAllocation Allocation { get; init; }

    /// <summary>See <see cref="WeightedKlt.Solve"/>.</summary>
    public double Ridge { get; init; } = 0.1;

    /// <summary>See <see cref="WeightedKlt.Solve"/>.</summary>
    public double TokenWeighting { get; init; } = 0.9;

    /// <summary>See <see cref="UniformQuantizer.Fit"/>.</summary>
    public double Headroom { get; init; } = 1.25;

    /// <summary>The largest of the usual windows that takes no more than three eighths of a target, or the smallest.</summary>
    /// <remarks>
    /// A window that holds the question and its answer while it is written matters more than finer codes of the document: what is asked is like nothing else, and every token of a long answer looks back at it.
    /// </remarks>
    /// <param name="share">Target share at <paramref name="at"/> tokens.</param>
    /// <param name="at">Tokens.</param>
    /// <param name="sinks">First tokens that stay raw.</param>
    public static int RecentFor(double share, int at, int sinks)
    {
        // Half a block waits, on average, to be whole.
        return (int[])[128, 96, 64, 48, 32] is var usual && Array.Find(usual, recent => sinks + recent + 8 <= WindowShare * share * at) is > 0 and var found
            ? found
            : CodedKvFormat.BlockTokens;
    }

    /// <summary>Refuses what contradicts itself or the model.</summary>
    /// <exception cref="ArgumentException">The plan cannot be carried out.</exception>
    public void Validate(int layerCount)
    {
        FullLayers.Validate(layerCount, "Full layers");
        Observers.Validate(layerCount, "Observers");
        if (Share is <= 0 or >= 1)
            throw new ArgumentException($"A target of {100 * Share:G4} % of the bytes makes no sense; use more than 0 and less than 100.");
        if (Kind == CalibratedCodec.Klt && (Share is null) == (Bits is null))
            throw new ArgumentException("The budget is either a share of all bytes or bits per token and layer.");
        if (IsTrained && Heads != HeadChoice.All)
            throw new ArgumentException("A trained codec has one encoder for all heads of a layer; a table of heads needs klt, pca or int4.");
        if (Full is not (LayerTreatment.Raw or LayerTreatment.Kivi4 or LayerTreatment.Kivi8))
            throw new ArgumentException($"Full layers are kept raw, kivi4 or kivi8, not {Full.ToString().ToLowerInvariant()}.");
        if (Full != LayerTreatment.Raw && Options.Sinks % KiviCode.GroupSize != 0)
            throw new ArgumentException($"{Options.Sinks} sinks: with full layers quantised in blocks of {KiviCode.GroupSize} tokens a multiple of that is needed.");
        if (Neighbours is < 1 or > 4)
            throw new ArgumentException($"{Neighbours} references per token; 1 to 4 can be stored.");
        if (Kind == CalibratedCodec.Int4 && References != ReferenceUse.None)
            throw new ArgumentException("int4 is calibrated for its table of heads alone; with references use --codec pca.");
        if (Kind != CalibratedCodec.Klt && References == ReferenceUse.Auto)
            throw new ArgumentException("References where they pay need a transform codec, which has a byte budget to weigh them by. With a fixed number of latents use references for all layers or none.");
        var perChunk = CodeGroup.DimensionsOf(LatentWidth) * (LatentWidth == ChunkWidth.Bits16 ? 2 : 1);
        if (Kind == CalibratedCodec.Pca && (Latents <= 0 || Latents % perChunk != 0))
            throw new ArgumentException($"{Latents} latents of {(int)LatentWidth} bits do not fill chunks of {perChunk}; use a multiple of that.");
        if (TokenWeighting is < 0 or > 1 || Ridge < 0 || Headroom < 1)
            throw new ArgumentException($"Token weighting {TokenWeighting}, ridge {Ridge}, headroom {Headroom}: expected 0 to 1, at least 0, at least 1.");
    }

    /// <summary>For the report.</summary>
    public string Describe()
    {
        if (Kind == CalibratedCodec.Int4)
            return $"int4, {Heads}";
        var target = Kind != CalibratedCodec.Klt ? FormattableString.Invariant($"{Latents} latents of {(int)LatentWidth} bits")
            : Bits is { } bits ? FormattableString.Invariant($"{bits} bits per token and layer")
            : FormattableString.Invariant($"{100 * Share:0.##} % of all bytes at {At} tokens");
        var references = References == ReferenceUse.None
            ? "no references"
            : FormattableString.Invariant($"{Neighbours} references ({References.ToString().ToLowerInvariant()} layers) of {Options.ReferenceBits} bits every {Options.ReferenceStride} tokens");
        return FormattableString.Invariant(
            $"{Kind.ToString().ToLowerInvariant()}, {target}, {references}, {Heads}, metric {Metric.ToString().ToLowerInvariant()}, ridge {Ridge}, token weighting {TokenWeighting}, headroom {Headroom}, {Allocation.ToString().ToLowerInvariant()} allocation");
    }
}
