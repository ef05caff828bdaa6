using System.Text.Json;

namespace DeltaKV.Weights;

/// <summary>Reads rotary parameters in the old layout (<c>rope_theta</c>, <c>rope_scaling</c>) and Transformers 5's <c>rope_parameters</c>.</summary>
internal static class RopeParametersReader
{
    private const double DefaultTheta = 10_000;

    internal static RopeParameters Read(JsonFields config, int maxPositions)
    {
        // rope_scaling, where both are present, wins: so Transformers 5 reads such files.
        var source = config.Object("rope_scaling") ?? config.Object("rope_parameters");
        if (source is not { } fields)
            return Check(new RopeParameters { Theta = config.OptionalDouble("rope_theta") ?? DefaultTheta }, config);

        if (fields.Element.EnumerateObject().Any(property => property.Value.ValueKind == JsonValueKind.Object))
            throw fields.Fault("", "holds one set of parameters per layer type, which is not supported; expected one set for all layers");
        RefusePartialRotation(fields);

        var theta = fields.OptionalDouble("rope_theta") ?? config.OptionalDouble("rope_theta") ?? DefaultTheta;
        var typeName = fields.OptionalString("rope_type") ?? fields.OptionalString("type") ?? "default";
        var rope = typeName switch
        {
            "default" => new RopeParameters { Theta = theta },
            "linear" => new RopeParameters { Type = RopeType.Linear, Theta = theta, Factor = fields.Double("factor") },
            "llama3" => ReadLlama3(fields, theta, maxPositions),
            "yarn" => ReadYarn(fields, theta, maxPositions),
            _ => throw fields.Fault("rope_type", $"is '{typeName}', which is not supported; expected default, linear, llama3 or yarn"),
        };
        return Check(rope, fields);
    }

    internal static void RefusePartialRotation(JsonFields fields)
    {
        if (fields.OptionalDouble("partial_rotary_factor") is { } share && share != 1)
            throw fields.Fault("partial_rotary_factor", $"is {share}, which is not supported; expected 1");
    }

    private static RopeParameters ReadLlama3(JsonFields fields, double theta, int maxPositions)
    {
        var rope = new RopeParameters
        {
            Type = RopeType.Llama3,
            Theta = theta,
            Factor = fields.Double("factor"),
            LowFrequencyFactor = fields.Double("low_freq_factor"),
            HighFrequencyFactor = fields.Double("high_freq_factor"),
            OriginalMaxPositions = fields.OptionalInt("original_max_position_embeddings") ?? maxPositions,
        };
        if (rope.LowFrequencyFactor <= 0 || rope.HighFrequencyFactor <= rope.LowFrequencyFactor)
            throw fields.Fault("high_freq_factor", $"is {rope.HighFrequencyFactor}, expected more than low_freq_factor {rope.LowFrequencyFactor}, and both above 0");
        return rope;
    }

    private static RopeParameters ReadYarn(JsonFields fields, double theta, int maxPositions)
    {
        var original = fields.OptionalInt("original_max_position_embeddings") ?? maxPositions;
        var factor = fields.OptionalDouble("factor") ?? (double)maxPositions / original;
        return new RopeParameters
        {
            Type = RopeType.Yarn,
            Theta = theta,
            Factor = factor,
            OriginalMaxPositions = original,
            BetaFast = fields.OptionalDouble("beta_fast") is { } fast and not 0 ? fast : 32,
            BetaSlow = fields.OptionalDouble("beta_slow") is { } slow and not 0 ? slow : 1,
            Truncate = fields.OptionalBool("truncate") ?? true,
            AttentionFactor = fields.OptionalDouble("attention_factor") ?? YarnAttentionFactor(fields, factor),
        };
    }

    private static double YarnAttentionFactor(JsonFields fields, double factor)
    {
        var scale = fields.OptionalDouble("mscale") ?? 0;
        var scaleAllDimensions = fields.OptionalDouble("mscale_all_dim") ?? 0;
        return scale != 0 && scaleAllDimensions != 0
            ? LogScale(factor, scale) / LogScale(factor, scaleAllDimensions)
            : LogScale(factor, 1);
    }

    private static double LogScale(double factor, double scale) => factor <= 1 ? 1 : 0.1 * scale * Math.Log(factor) + 1;

    private static RopeParameters Check(RopeParameters rope, JsonFields fields)
    {
        if (rope.Theta <= 1)
            throw new ModelFormatException(fields.File, $"'rope_theta' is {rope.Theta}, expected more than 1");
        if (rope.Factor < 1)
            throw fields.Fault("factor", $"is {rope.Factor}, expected at least 1");
        if (rope.Type is RopeType.Llama3 or RopeType.Yarn && rope.OriginalMaxPositions <= 0)
            throw fields.Fault("original_max_position_embeddings", $"is {rope.OriginalMaxPositions}, expected more than 0");
        if (rope.BetaFast <= 0 || rope.BetaSlow <= 0)
            throw fields.Fault("beta_fast", $"and beta_slow are {rope.BetaFast} and {rope.BetaSlow}, expected both above 0");
        if (rope.AttentionFactor <= 0)
            throw fields.Fault("attention_factor", $"is {rope.AttentionFactor}, expected more than 0");
        return rope;
    }
}
