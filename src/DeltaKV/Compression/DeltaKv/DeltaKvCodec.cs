using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.Kivi;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.DeltaKv;

/// <summary>Everything calibration decided for a model.</summary>
internal sealed record DeltaKvCodec
{
    /// <summary>The model it belongs to.</summary>
    public required ModelFingerprint Model { get; init; }

    /// <summary>One per layer of the model.</summary>
    public required IReadOnlyList<CodecLayer> Layers { get; init; }

    /// <summary>What stays raw, and what references are.</summary>
    public CodedKvOptions Options { get; init; } = new();

    /// <summary>For people: how it was calibrated, on what, and what was left out.</summary>
    public string Report { get; init; } = "";

    /// <summary>Bytes that one compressed token takes over all layers, ids and padding included, references left out.</summary>
    public int BytesPerToken => Layers.Sum(layer => layer.Treatment switch
    {
        LayerTreatment.Coded => RecordLayout.Of(layer.Codec!).Bytes,
        LayerTreatment.Raw => 2 * 2 * Model.KvHeads * Model.HeadDim,
        LayerTreatment.Kivi4 or LayerTreatment.Kivi8 => layer.Kivi!.HeadBytes(Model.HeadDim) * Model.KvHeads / KiviCode.GroupSize,
        _ => 0,
    });

    /// <summary>What is stored, with these options.</summary>
    /// <param name="shape">The heads.</param>
    /// <param name="options">What stays raw, and how much is read.</param>
    /// <param name="observers">Layers that choose tokens; null: those of the codec.</param>
    /// <param name="kivi">How layers without codes are quantised, null for raw ones; null: as the codec says.</param>
    /// <exception cref="CodecMismatchException">A layer but the first is recomputed.</exception>
    public CodedKvFormat Format(AttentionShape shape, CodedKvOptions options, IEnumerable<int>? observers = null, IReadOnlyList<KiviCode?>? kivi = null)
    {
        var codecs = Layers.Select((layer, i) => layer.Treatment switch
        {
            LayerTreatment.Coded => layer.Codec,
            LayerTreatment.Recomputed when i == 0 => FirstLayerTable.Codec(Model.KvHeads, Model.HeadDim),
            LayerTreatment.Recomputed => throw new CodecMismatchException($"The codec recomputes layer {i}; only the first layer is a function of its token. Calibrate again."),
            _ => null,
        }).ToArray();
        observers ??= Enumerable.Range(0, Layers.Count).Where(layer => Layers[layer].Observes);
        return new CodedKvFormat(shape, codecs, options, Layers[0].Treatment == LayerTreatment.Recomputed, observers, kivi ?? [.. Layers.Select(layer => layer.Kivi)]);
    }

    /// <summary>Refuses another model, naming both.</summary>
    /// <exception cref="CodecMismatchException">The codec was calibrated for a different model.</exception>
    public void RequireModel(ModelFingerprint model)
    {
        if (model != Model)
        {
            throw new CodecMismatchException(
                $"The codec was calibrated for {Model}; the model is {model}. Calibrate one with 'deltakv calibrate --model DIR'.");
        }
    }
}
