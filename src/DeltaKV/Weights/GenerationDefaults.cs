using System.Collections.Immutable;

namespace DeltaKV.Weights;

/// <summary>What a model recommends for generation, from its <c>generation_config.json</c>; null where it says nothing.</summary>
public sealed record GenerationDefaults
{
    /// <summary>Tokens that end an answer: those of this file, or of config.json when it lists none.</summary>
    public ImmutableArray<int> EosTokenIds { get; init; } = [];

    /// <summary>Whether the model recommends sampling; if not, decoding is greedy and the fields below are moot.</summary>
    public bool Sample { get; init; }

    /// <summary>Softmax temperature.</summary>
    public float? Temperature { get; init; }

    /// <summary>Number of most likely tokens to sample from.</summary>
    public int? TopK { get; init; }

    /// <summary>Share of probability to sample from.</summary>
    public float? TopP { get; init; }

    /// <summary>Least probability relative to the most likely token.</summary>
    public float? MinP { get; init; }

    /// <summary>Divides positive and multiplies negative logits of tokens already seen.</summary>
    public float? RepetitionPenalty { get; init; }

    /// <summary>Most tokens of an answer.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>Reads <c>generation_config.json</c> of a model directory; a directory without one gets the defaults of the configuration.</summary>
    /// <exception cref="ModelFormatException">The file is not valid.</exception>
    public static GenerationDefaults Load(string directory, ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var path = Path.Combine(directory, "generation_config.json");
        if (!File.Exists(path))
            return new GenerationDefaults { EosTokenIds = config.EosTokenIds };

        using var document = JsonFields.Load(path);
        var fields = new JsonFields(document.RootElement, path);
        var eos = fields.IntegerOrList("eos_token_id");
        return new GenerationDefaults
        {
            EosTokenIds = eos.Count > 0 ? [.. eos] : config.EosTokenIds,
            Sample = fields.OptionalBool("do_sample") ?? false,
            Temperature = (float?)fields.OptionalDouble("temperature"),
            TopK = fields.OptionalInt("top_k"),
            TopP = (float?)fields.OptionalDouble("top_p"),
            MinP = (float?)fields.OptionalDouble("min_p"),
            RepetitionPenalty = (float?)fields.OptionalDouble("repetition_penalty"),
            MaxNewTokens = fields.OptionalInt("max_new_tokens") is > 0 and var tokens ? tokens : null,
        };
    }
}
