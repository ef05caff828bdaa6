using System.Globalization;
using DeltaKV.Weights;

namespace DeltaKV.Cli.Output;

/// <summary>What a model is, from its files.</summary>
internal sealed record ModelRecord(
    string Name,
    string Directory,
    ModelFamily Family,
    long Parameters,
    long FileBytes,
    int Layers,
    int Hidden,
    int Intermediate,
    int Heads,
    int KeyValueHeads,
    int HeadDim,
    int Vocabulary,
    int MaxPositions,
    RopeType Rope,
    double RopeTheta,
    bool TiedEmbeddings,
    long KvBytesPerToken)
{
    internal static ModelRecord Of(string directory, ModelConfig config, ModelWeights weights)
    {
        var path = Path.GetFullPath(directory);
        return new ModelRecord(
            ModelDirectory.NameOf(path),
            path,
            config.Family,
            weights.Tensors.Values.Sum(tensor => tensor.Info.ElementCount),
            weights.ByteLength,
            config.LayerCount,
            config.HiddenSize,
            config.IntermediateSize,
            config.HeadCount,
            config.KeyValueHeadCount,
            config.HeadDim,
            config.VocabularySize,
            config.MaxPositions,
            config.Rope.Type,
            config.Rope.Theta,
            config.TieWordEmbeddings,
            config.KvBytesPerToken);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"""
        model       {Name} ({Family}), {Parameters:N0} parameters, {Units.Bytes(FileBytes)} in {Directory}
        layers      {Layers} of {Hidden} wide, feed-forward {Intermediate}, vocabulary {Vocabulary:N0}{(TiedEmbeddings ? ", tied" : "")}
        attention   {Heads} query and {KeyValueHeads} key/value heads of {HeadDim}: {KvBytesPerToken:N0} bytes per token in bf16
        positions   {MaxPositions:N0}, RoPE {Rope} with base {RopeTheta:N0}
        """);
}
