using System.Globalization;
using System.Security.Cryptography;
using DeltaKV.Weights;

namespace DeltaKV.Compression.DeltaKv;

/// <summary>Which model a codec was calibrated for: its shape, and a digest of the weights that make keys.</summary>
internal sealed record ModelFingerprint(string Family, int Layers, int KvHeads, int HeadDim, string Weights)
{
    private const int DigestBytes = 1 << 20;

    /// <summary>The fingerprint of opened weights. Reads at most a megabyte each of the first and the last key projection.</summary>
    public static ModelFingerprint Of(ModelConfig config, ModelWeights weights)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var layer in new[] { 0, config.LayerCount - 1 })
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}.self_attn.k_proj.weight");
            if (weights.TryGet(name, out var tensor))
                hash.AppendData(tensor.Bytes(0, (int)Math.Min(DigestBytes, tensor.Info.ByteLength)));
        }

        return new ModelFingerprint(
            config.Family.ToString(), config.LayerCount, config.KeyValueHeadCount, config.HeadDim,
            Convert.ToHexStringLower(hash.GetHashAndReset())[..16]);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Family}, {Layers} layers, {KvHeads} KV heads of {HeadDim}, weights {Weights}");
}
