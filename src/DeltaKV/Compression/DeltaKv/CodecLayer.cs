using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Kivi;

namespace DeltaKV.Compression.DeltaKv;

/// <summary>One layer of a codec.</summary>
/// <param name="Treatment">What is stored.</param>
/// <param name="Codec">How, when <paramref name="Treatment"/> is <see cref="LayerTreatment.Coded"/>; otherwise null.</param>
/// <param name="Observes">Whether this layer's attention chooses the tokens that the layers after it read.</param>
internal sealed record CodecLayer(LayerTreatment Treatment, LinearCodec? Codec = null, bool Observes = false)
{
    /// <summary>How the layer is quantised, where KIVI does it.</summary>
    internal KiviCode? Kivi => Treatment switch
    {
        LayerTreatment.Kivi4 => new KiviCode(4, 4),
        LayerTreatment.Kivi8 => new KiviCode(8, 8),
        _ => null,
    };
}
