using DeltaKV.Weights;

namespace DeltaKV.Engine;

/// <summary>Turns a model's recommendation into sampling options.</summary>
internal static class SamplingDefaults
{
    internal static SamplingOptions From(GenerationDefaults defaults)
    {
        var penalty = defaults.RepetitionPenalty ?? 1;
        if (!defaults.Sample)
            return SamplingOptions.Greedy with { RepetitionPenalty = penalty, MaxTokens = defaults.MaxNewTokens };
        return new SamplingOptions
        {
            Temperature = defaults.Temperature ?? 1,
            TopK = defaults.TopK ?? 50,
            TopP = defaults.TopP ?? 1,
            MinP = defaults.MinP ?? 0,
            RepetitionPenalty = penalty,
            MaxTokens = defaults.MaxNewTokens,
        };
    }
}
