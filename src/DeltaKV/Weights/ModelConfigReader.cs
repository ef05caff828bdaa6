namespace DeltaKV.Weights;

/// <summary>Turns a <c>config.json</c> into a <see cref="ModelConfig"/>, with the defaults of the Transformers class of its model type.</summary>
/// <remarks>
/// Transformers ignores fields that the class of the <c>model_type</c> does not know, so what can change the maths of these four families
/// is a closed list: <see cref="UnsupportedOptions"/> refuses all of it by name and other fields are inert.
/// </remarks>
internal static class ModelConfigReader
{
    private const int ElementsPer16Bytes = 8;
    private static readonly int[] HeadDims = [64, 80, 96, 128];

    internal static ModelConfig Read(JsonFields fields)
    {
        var family = ReadFamily(fields);
        UnsupportedOptions.Refuse(fields, family);

        var hidden = Extent(fields, "hidden_size", 1 << 20, ElementsPer16Bytes);
        var heads = Extent(fields, "num_attention_heads", 1 << 12);
        var trainedPositions = PositiveOr(fields, "max_position_embeddings", DefaultPositions(family));
        RopeParametersReader.RefusePartialRotation(fields);
        var rope = RopeParametersReader.Read(fields, trainedPositions);
        return new ModelConfig
        {
            Family = family,
            VocabularySize = Extent(fields, "vocab_size", 1 << 24),
            HiddenSize = hidden,
            IntermediateSize = Extent(fields, "intermediate_size", 1 << 22, ElementsPer16Bytes),
            LayerCount = Extent(fields, "num_hidden_layers", 1 << 12),
            HeadCount = heads,
            KeyValueHeadCount = ReadKeyValueHeads(fields, family, heads),
            HeadDim = ReadHeadDim(fields, family, hidden, heads),
            MaxPositions = rope.Type == RopeType.Yarn
                ? Math.Max(trainedPositions, (int)Math.Min(rope.OriginalMaxPositions * rope.Factor, int.MaxValue))
                : trainedPositions,
            RmsNormEpsilon = ReadEpsilon(fields),
            Rope = rope,
            TieWordEmbeddings = fields.OptionalBool("tie_word_embeddings") ?? false,
            HasQkvBias = family == ModelFamily.Qwen2,
            HasQkNorm = family == ModelFamily.Qwen3,
            BosTokenId = fields.OptionalInt("bos_token_id"),
            EosTokenIds = [.. fields.IntegerOrList("eos_token_id")],
        };
    }

    private static ModelFamily ReadFamily(JsonFields fields)
    {
        var type = fields.OptionalString("model_type") ?? throw fields.Fault("model_type", "is missing");
        var family = type switch
        {
            "llama" => ModelFamily.Llama,
            "mistral" => ModelFamily.Mistral,
            "qwen2" => ModelFamily.Qwen2,
            "qwen3" => ModelFamily.Qwen3,
            _ => throw fields.Fault("model_type", $"is '{type}', which is not supported; expected llama, mistral, qwen2 or qwen3"),
        };
        var architectures = fields.StringList("architectures");
        var expected = $"{family}ForCausalLM";
        if (architectures.Count > 0 && !architectures.Contains(expected))
            throw fields.Fault("architectures", $"is [{string.Join(", ", architectures)}], expected {expected}");
        return family;
    }

    private static int ReadKeyValueHeads(JsonFields fields, ModelFamily family, int heads)
    {
        // null means "as many as query heads" everywhere; an absent field means that only for Llama.
        var count = fields.OptionalInt("num_key_value_heads");
        if (count is null && family != ModelFamily.Llama && !fields.Mentions("num_key_value_heads"))
            throw fields.Fault("num_key_value_heads", "is missing");
        var result = count ?? heads;
        if (result <= 0 || heads % result != 0)
            throw fields.Fault("num_key_value_heads", $"is {result}, expected a divisor of num_attention_heads {heads}");
        return result;
    }

    private static int ReadHeadDim(JsonFields fields, ModelFamily family, int hidden, int heads)
    {
        var headDim = fields.OptionalInt("head_dim")
            ?? (family == ModelFamily.Qwen3 && !fields.Mentions("head_dim") ? 128 : hidden / heads);
        return HeadDims.Contains(headDim)
            ? headDim
            : throw fields.Fault("head_dim", $"is {headDim} (stated, or hidden_size / num_attention_heads), which is not supported; expected 64, 80, 96 or 128");
    }

    private static float ReadEpsilon(JsonFields fields)
    {
        var epsilon = fields.OptionalDouble("rms_norm_eps") ?? 1e-6;
        return epsilon is > 0 and < 1 ? (float)epsilon : throw fields.Fault("rms_norm_eps", $"is {epsilon}, expected a number between 0 and 1");
    }

    private static int DefaultPositions(ModelFamily family) => family switch
    {
        ModelFamily.Llama => 2048,
        ModelFamily.Mistral => 131072,
        _ => 32768,
    };

    private static int Extent(JsonFields fields, string name, int limit, int multiple = 1)
    {
        var value = fields.Int(name);
        if (value <= 0 || value > limit || value % multiple != 0)
            throw fields.Fault(name, $"is {value}, expected 1 to {limit}{(multiple > 1 ? $" and a multiple of {multiple}" : "")}");
        return value;
    }

    private static int PositiveOr(JsonFields fields, string name, int fallback)
    {
        var value = fields.OptionalInt(name) ?? fallback;
        return value > 0 ? value : throw fields.Fault(name, $"is {value}, expected more than 0");
    }
}
