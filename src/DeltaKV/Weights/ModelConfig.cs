using System.Collections.Immutable;

namespace DeltaKV.Weights;

/// <summary>The architecture of a model, from its <c>config.json</c>. Everything the forward pass needs to know, and nothing it ignores.</summary>
public sealed record ModelConfig
{
    /// <summary>The architecture.</summary>
    public required ModelFamily Family { get; init; }

    /// <summary>Tokens in the vocabulary (rows of the embedding).</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width of the feed-forward network.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Transformer layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Query heads.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Key/value heads; divides <see cref="HeadCount"/>.</summary>
    public required int KeyValueHeadCount { get; init; }

    /// <summary>Dimensions of a head: 64, 80, 96 or 128. Not always <c>HiddenSize / HeadCount</c>.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Longest context the model was made for, scaling of RoPE included.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>Added to the mean square in RMSNorm.</summary>
    public required float RmsNormEpsilon { get; init; }

    /// <summary>Rotary embedding.</summary>
    public required RopeParameters Rope { get; init; }

    /// <summary>The output projection is the embedding.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>Query, key and value projections have a bias (Qwen2).</summary>
    public bool HasQkvBias { get; init; }

    /// <summary>Queries and keys are normalised per head before RoPE (Qwen3).</summary>
    public bool HasQkNorm { get; init; }

    /// <summary>First token of a text, if the model has one.</summary>
    public int? BosTokenId { get; init; }

    /// <summary>Tokens that end a text, as config.json lists them; generation_config.json may list more.</summary>
    public ImmutableArray<int> EosTokenIds { get; init; } = [];

    /// <summary>Query heads that share one key/value head.</summary>
    public int HeadsPerGroup => HeadCount / KeyValueHeadCount;

    /// <summary>Values of keys and values of one token in one layer.</summary>
    public int KeyValueWidth => 2 * KeyValueHeadCount * HeadDim;

    /// <summary>Bytes of keys and values of one token over all layers, uncompressed in bf16.</summary>
    public long KvBytesPerToken => (long)LayerCount * KeyValueWidth * sizeof(ushort);

    /// <summary>Reads <c>config.json</c> of a model directory.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such directory.</exception>
    /// <exception cref="ModelFormatException">The file is missing or invalid, or describes a model this engine does not run.</exception>
    public static ModelConfig Load(string directory)
    {
        if (!Directory.Exists(directory))
            throw new DirectoryNotFoundException($"There is no model directory '{directory}'; expected one with config.json, tokenizer.json and *.safetensors.");
        var path = Path.Combine(directory, "config.json");
        if (!File.Exists(path))
            throw new ModelFormatException(path, "does not exist, so this is no Hugging Face model directory; expected one with config.json, tokenizer.json and *.safetensors");
        using var document = JsonFields.Load(path);
        return ModelConfigReader.Read(new JsonFields(document.RootElement, path));
    }
}
