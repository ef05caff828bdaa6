namespace DeltaKV.Weights;

/// <summary>Options of config.json that change the maths in a way the forward pass does not do. Each is refused by name.</summary>
internal static class UnsupportedOptions
{
    /// <summary>Fields that mean "the plain transformer" when absent, null, false or of this neutral value.</summary>
    private static readonly (string Name, double Neutral)[] Multipliers =
    [
        ("attn_logit_softcapping", 0),
        ("final_logit_softcapping", 0),
        ("attention_multiplier", 1),
        ("embedding_multiplier", 1),
        ("residual_multiplier", 1),
        ("logits_scaling", 1),
        ("logit_scale", 1),
        ("num_experts", 0),
        ("num_local_experts", 0),
    ];

    internal static void Refuse(JsonFields fields, ModelFamily family)
    {
        RefuseActivation(fields);
        RefuseQuantization(fields);
        RefuseBias(fields, family);
        RefuseSlidingWindow(fields, family);
        foreach (var (name, neutral) in Multipliers)
        {
            if (fields.OptionalDouble(name) is { } value && value != neutral)
                throw fields.Fault(name, $"is {value}, which is not supported for this architecture");
        }
    }

    private static void RefuseActivation(JsonFields fields)
    {
        var activation = fields.OptionalString("hidden_act") ?? "silu";
        if (activation is not ("silu" or "swish"))
            throw fields.Fault("hidden_act", $"is '{activation}', which is not supported; expected silu");
    }

    private static void RefuseQuantization(JsonFields fields)
    {
        if (fields.Object("quantization_config") is { } quantization)
        {
            var method = quantization.OptionalString("quant_method") ?? "unnamed";
            throw fields.Fault("quantization_config", $"({method}) is not supported; use the bf16, f16 or f32 weights of the model");
        }
    }

    private static void RefuseBias(JsonFields fields, ModelFamily family)
    {
        // Qwen2 has its biases built in and Transformers reads no such field for it.
        if (family != ModelFamily.Qwen2 && fields.OptionalBool("attention_bias") == true)
            throw fields.Fault("attention_bias", $"is true, which is not supported for {family}");
        if (fields.OptionalBool("mlp_bias") == true)
            throw fields.Fault("mlp_bias", "is true, which is not supported");
    }

    private static void RefuseSlidingWindow(JsonFields fields, ModelFamily family)
    {
        var sliding = fields.StringList("layer_types").FirstOrDefault(type => type != "full_attention");
        if (sliding is not null)
            throw fields.Fault("layer_types", $"names '{sliding}', which is not supported; expected full_attention in every layer");

        // Mistral's class has a window of 4096 unless the file says otherwise; Qwen's is off unless use_sliding_window is set.
        var window = family == ModelFamily.Mistral && !fields.Mentions("sliding_window") ? 4096 : fields.OptionalInt("sliding_window");
        var inUse = family switch
        {
            ModelFamily.Llama or ModelFamily.Mistral => true,
            _ => fields.OptionalBool("use_sliding_window") == true
                && (fields.OptionalInt("max_window_layers") ?? 28) < fields.Int("num_hidden_layers"),
        };
        if (inUse && window is { } width && width < (fields.OptionalInt("max_position_embeddings") ?? int.MaxValue))
            throw fields.Fault("sliding_window", $"of {width} tokens is in use, which is not supported; expected null or the whole context");
    }
}
