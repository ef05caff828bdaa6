using System.CommandLine;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Compression.Kivi;

namespace DeltaKV.Cli.Options;

/// <summary>The options that say which codec calibration makes of what it read.</summary>
internal sealed class CodecArguments
{
    private const double DefaultPercent = 6;
    private const int UsualRecent = 128;

    private readonly Option<CalibratedCodec> codec = Choice("--codec", "klt: transform coding with a byte budget. pca: a fixed number of latents per layer. int4: every head rotated and quantised, for a table of heads. swiglu, gelu: the same with a trained network as encoder, as published. Default: klt.", CalibratedCodec.Klt);
    private readonly Option<double?> bytes = new("--bytes") { Description = $"Budget: everything held at --at tokens, in percent of the uncompressed cache. Default: {DefaultPercent}.", HelpName = "PERCENT" };
    private readonly Option<int> at = new("--at") { Description = "Tokens at which --bytes holds. Default: 4096.", HelpName = "TOKENS", DefaultValueFactory = _ => 4096 };
    private readonly Option<int?> bits = new("--bits") { Description = "Budget instead: bits of codes per token and layer, on average; windows and full layers are not counted.", HelpName = "N" };
    private readonly Option<ReferenceUse> references = Choice("--references", "Layers whose tokens are coded as differences to references; auto: where it pays. Default: none; all for swiglu and gelu.", ReferenceUse.None);
    private readonly Option<int> neighbours = new("--neighbours") { Description = "References of a token, 1 to 4. Default: 4.", HelpName = "K", DefaultValueFactory = _ => 4 };
    private readonly Option<int> stride = new("--stride") { Description = "Every so many tokens one is a reference. Default: 10.", HelpName = "S", DefaultValueFactory = _ => 10 };
    private readonly Option<int> referenceBits = new("--reference-bits") { Description = "Bits of an element of a reference: 16, 8 or 4. Default: 16.", HelpName = "BITS", DefaultValueFactory = _ => 16 };
    private readonly Option<int> latents = new("--latents") { Description = "Latents per token and layer, for every codec but klt. Default: 128.", HelpName = "DIMS", DefaultValueFactory = _ => 128 };
    private readonly Option<int> latentBits = new("--latent-bits") { Description = "Bits of a latent: 16, 8 or 4. Default: 4.", HelpName = "BITS", DefaultValueFactory = _ => 4 };
    private readonly Option<string> fullLayers = new("--full-layers") { Description = "Layers that are not coded: none, auto, auto:N, or a list as 0+1+8. Default: none.", HelpName = "LAYERS", DefaultValueFactory = _ => "none" };
    private readonly Option<LayerTreatment> full = Choice("--full", "How those layers are kept. Default: raw.", LayerTreatment.Raw, LayerTreatment.Kivi8, LayerTreatment.Kivi4);
    private readonly Option<string> observers = new("--observers") { Description = "Layers that choose tokens for those after them when a method says top or share: none, auto, auto:N layers read whole, or a list as 2+5. Default: auto.", HelpName = "LAYERS", DefaultValueFactory = _ => "auto" };
    private readonly Option<string> heads = new("--heads") { Description = "Key/value heads that keep history: all; table: those that need it, the others read sinks and window alone; table:PERCENT of what history changes may be lost, 5 unless said; or a table, as cccc/wwcw with c coded, w window only, r raw, or the file of a codec that has one. Default: all.", HelpName = "HEADS", DefaultValueFactory = _ => "all" };
    private readonly Option<SensitivityMetric> metric = Choice("--metric", "What errors are measured by: what attention makes of them, or their squares. Default: attention.", SensitivityMetric.Attention);
    private readonly Option<ByteAllocation> allocation = Choice("--allocation", "Bytes where they lower the error most, or as many for every layer. Default: global.", ByteAllocation.Global);
    private readonly Option<double> tokenWeighting = new("--token-weighting") { Description = "Share of the statistics that is weighted by what attention makes of a token. Default: 0.9.", HelpName = "W", DefaultValueFactory = _ => 0.9 };
    private readonly Option<double> ridge = new("--ridge") { Description = "Weight of directions that no query looked at. Default: 0.1.", HelpName = "R", DefaultValueFactory = _ => 0.1 };
    private readonly Option<double> headroom = new("--headroom") { Description = "Factor on the ranges of quantisers. Default: 1.25.", HelpName = "X", DefaultValueFactory = _ => 1.25 };
    private readonly Option<int?> sinks = new("--sinks") { Description = "First tokens that stay raw. Default: 16; 32 with layers quantised as in KIVI.", HelpName = "N" };
    private readonly Option<int?> recent = new("--recent") { Description = $"Newest tokens that stay raw. Default: {UsualRecent}, fewer where the budget is small.", HelpName = "N" };

    internal void AddTo(Command command)
    {
        foreach (Option option in (Option[])[
            codec, bytes, at, bits, references, neighbours, stride, referenceBits, latents, latentBits, fullLayers, full, observers, heads, metric, allocation,
            tokenWeighting, ridge, headroom, sinks, recent])
            command.Add(option);
    }

    /// <summary>What was asked for.</summary>
    /// <exception cref="UsageException">Two options contradict each other.</exception>
    internal CodecPlan Read(ParseResult parsed)
    {
        var (kind, percent, budget) = (parsed.GetValue(codec), parsed.GetValue(bytes), parsed.GetValue(bits));
        if (percent is not null && budget is not null)
            throw new UsageException("--bytes and --bits are both given; one budget holds.");
        if (kind != CalibratedCodec.Klt && (percent is not null || budget is not null))
            throw new UsageException($"--codec {kind.ToString().ToLowerInvariant()} takes its size from {(kind == CalibratedCodec.Int4 ? "--heads" : "--latents and --latent-bits")}, not from --bytes or --bits.");
        double? share = kind != CalibratedCodec.Klt || budget is not null ? null : (percent ?? DefaultPercent) / 100;
        var treatment = parsed.GetValue(full);
        var (length, first) = (parsed.GetValue(at), parsed.GetValue(sinks) ?? (treatment == LayerTreatment.Raw ? CodedKvFormat.BlockTokens : KiviCode.GroupSize));
        return new CodecPlan
        {
            Kind = kind,
            Share = share,
            At = length,
            Bits = budget is { } given ? UsageException.AtLeast(1, given, "--bits") : null,
            Latents = parsed.GetValue(latents),
            LatentWidth = parsed.GetValue(latentBits) switch
            {
                16 => ChunkWidth.Bits16,
                8 => ChunkWidth.Bits8,
                4 => ChunkWidth.Bits4,
                var other => throw new UsageException($"--latent-bits is {other}, expected 16, 8 or 4."),
            },
            // Trained codecs are the paper's, which has references unless told otherwise.
            References = kind is CalibratedCodec.SwiGlu or CalibratedCodec.Gelu && parsed.GetResult(references) is null or { Implicit: true } ? ReferenceUse.All : parsed.GetValue(references),
            Neighbours = parsed.GetValue(neighbours),
            Options = new CodedKvOptions
            {
                Sinks = first,
                Recent = parsed.GetValue(recent) ?? (share is { } target ? CodecPlan.RecentFor(target, length, first) : UsualRecent),
                ReferenceStride = parsed.GetValue(stride),
                ReferenceBits = parsed.GetValue(referenceBits),
            },
            Full = treatment,
            FullLayers = LayerSet.Parse(parsed.GetValue(fullLayers)!, "--full-layers"),
            Observers = LayerSet.Parse(parsed.GetValue(observers)!, "--observers"),
            Heads = HeadChoice.Parse(parsed.GetValue(heads)!),
            Metric = parsed.GetValue(metric),
            Allocation = parsed.GetValue(allocation),
            Ridge = parsed.GetValue(ridge),
            TokenWeighting = parsed.GetValue(tokenWeighting),
            Headroom = parsed.GetValue(headroom),
        };
    }

    private static Option<T> Choice<T>(string name, string description, T otherwise, params T[] others)
        where T : struct, Enum
    {
        var names = (others.Length == 0 ? Enum.GetValues<T>() : [otherwise, .. others]).Select(value => value.ToString().ToLowerInvariant()).ToArray();
        var option = new Option<T>(name) { Description = description, HelpName = string.Join('|', names), DefaultValueFactory = _ => otherwise };
        option.AcceptOnlyFromAmong(names);
        return option;
    }
}
