using System.CommandLine;
using DeltaKV.Engine;

namespace DeltaKV.Cli.Options;

/// <summary>The options that say how tokens are chosen. What is not given is as the model recommends.</summary>
internal sealed class SamplingArguments
{
    private readonly Option<int?> maxTokens = new("--max-tokens", "-n") { Description = "Most tokens of an answer. Default: as the model recommends, else as many as the context holds.", HelpName = "N" };
    private readonly Option<float?> temperature = new("--temperature", "-t") { Description = "0 takes the most likely token.", HelpName = "T" };
    private readonly Option<int?> topK = new("--top-k") { Description = "Sample among that many most likely tokens.", HelpName = "K" };
    private readonly Option<float?> topP = new("--top-p") { Description = "Sample among the tokens that make up this probability.", HelpName = "P" };
    private readonly Option<float?> minP = new("--min-p") { Description = "Sample among tokens this probable relative to the best.", HelpName = "P" };
    private readonly Option<float?> repetition = new("--repetition-penalty") { Description = "Divides the logits of tokens seen before.", HelpName = "X" };
    private readonly Option<float?> presence = new("--presence-penalty") { Description = "Subtracted from logits of tokens in the answer.", HelpName = "X" };
    private readonly Option<float?> frequency = new("--frequency-penalty") { Description = "The same, once per occurrence.", HelpName = "X" };
    private readonly Option<long?> seed = new("--seed") { Description = "Makes sampling repeatable.", HelpName = "N" };
    private readonly Option<string[]> stop = new("--stop") { Description = "Text that ends the answer; may be repeated.", HelpName = "TEXT" };
    private readonly Option<bool> ignoreEnd = new("--ignore-eos") { Description = "Go on after the model's end tokens." };

    internal void AddTo(Command command)
    {
        foreach (Option option in (Option[])[maxTokens, temperature, topK, topP, minP, repetition, presence, frequency, seed, stop, ignoreEnd])
            command.Add(option);
    }

    /// <summary>The model's recommendation, overridden by what was given.</summary>
    internal SamplingOptions Apply(ParseResult parsed, SamplingOptions recommended) => recommended with
    {
        MaxTokens = parsed.GetValue(maxTokens) ?? recommended.MaxTokens,
        Temperature = parsed.GetValue(temperature) ?? recommended.Temperature,
        TopK = parsed.GetValue(topK) ?? recommended.TopK,
        TopP = parsed.GetValue(topP) ?? recommended.TopP,
        MinP = parsed.GetValue(minP) ?? recommended.MinP,
        RepetitionPenalty = parsed.GetValue(repetition) ?? recommended.RepetitionPenalty,
        PresencePenalty = parsed.GetValue(presence) ?? recommended.PresencePenalty,
        FrequencyPenalty = parsed.GetValue(frequency) ?? recommended.FrequencyPenalty,
        Seed = parsed.GetValue(seed) ?? recommended.Seed,
        StopSequences = parsed.GetValue(stop) is { Length: > 0 } texts ? [.. texts] : recommended.StopSequences,
        IgnoreEos = parsed.GetValue(ignoreEnd) || recommended.IgnoreEos,
    };
}
