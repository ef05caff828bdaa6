using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.Kivi;

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
