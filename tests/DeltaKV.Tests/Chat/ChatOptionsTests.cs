using System.Collections.Immutable;
using System.Text.Json;
using DeltaKV.Chat;
using DeltaKV.Engine;
using DeltaKV.Tests.Engine;
using Microsoft.Extensions.AI;

namespace DeltaKV.Tests.Chat;

/// <summary>Every field of <see cref="ChatOptions"/> is either passed on or refused by name.</summary>
public sealed class ChatOptionsTests : IDisposable
{
    private static readonly AIFunction Tool = AIFunctionFactory.Create((string city) => city, "weather");
    private readonly HashModelRunner runner = new(512, 8);
    private readonly DeltaKVChatClient client;
    private SamplingOptions? sampling;

    public ChatOptionsTests()
    {
        client = new DeltaKVChatClient(TestEngine.Create(runner), new ChatClientOptions { OwnsEngine = true });
        runner.OnForward = batch => sampling = batch.Entries[0].Sequence.Options;
    }

    public void Dispose() => client.Dispose();

    private static readonly Dictionary<string, (Action<ChatOptions> Set, Func<SamplingOptions, bool> IsPassedOn)> Honoured = new()
    {
        ["Temperature"] = (options => options.Temperature = 0.5f, sampling => sampling.Temperature == 0.5f),
        ["TopK"] = (options => options.TopK = 7, sampling => sampling.TopK == 7),
        ["TopP"] = (options => options.TopP = 0.25f, sampling => sampling.TopP == 0.25f),
        ["FrequencyPenalty"] = (options => options.FrequencyPenalty = 0.5f, sampling => sampling.FrequencyPenalty == 0.5f),
        ["PresencePenalty"] = (options => options.PresencePenalty = -0.5f, sampling => sampling.PresencePenalty == -0.5f),
        ["Seed"] = (options => options.Seed = 9, sampling => sampling.Seed == 9),
        ["MaxOutputTokens"] = (options => options.MaxOutputTokens = 3, sampling => sampling.MaxTokens == 3),
        ["StopSequences"] = (options => options.StopSequences = ["x"], sampling => sampling.StopSequences.SequenceEqual(["x"])),
        ["RawRepresentationFactory"] = (options => options.RawRepresentationFactory = _ => new SamplingOptions { MinP = 0.125f }, sampling => sampling.MinP == 0.125f),
        ["AdditionalProperties"] = (
            options => options.AdditionalProperties = new()
            {
                ["min_p"] = 0.5,
                ["repetition_penalty"] = JsonDocument.Parse("1.5").RootElement,
                ["ignore_eos"] = true,
                ["logit_bias"] = ImmutableDictionary<int, float>.Empty.Add(3, 1),
            },
            sampling => sampling is { MinP: 0.5f, RepetitionPenalty: 1.5f, IgnoreEos: true } && sampling.LogitBias[3] == 1),
        ["ModelId"] = (options => options.ModelId = "needle-16m", _ => true),
        ["ResponseFormat"] = (options => options.ResponseFormat = ChatResponseFormat.Text, _ => true),
        ["ToolMode"] = (options => (options.ToolMode, options.Tools) = (ChatToolMode.None, [Tool]), _ => true),
        ["Reasoning"] = (options => options.Reasoning = new ReasoningOptions { Effort = ReasoningEffort.None }, _ => true),
        ["AllowMultipleToolCalls"] = (options => options.AllowMultipleToolCalls = true, _ => true),
    };

    private static readonly Dictionary<string, Action<ChatOptions>> Refused = new()
    {
        ["ModelId"] = options => options.ModelId = "gpt-5",
        ["ResponseFormat"] = options => options.ResponseFormat = ChatResponseFormat.Json,
        ["AllowBackgroundResponses"] = options => options.AllowBackgroundResponses = true,
        ["ContinuationToken"] = options => options.ContinuationToken = ResponseContinuationToken.FromBytes(new byte[] { 1 }),
        ["Tools"] = options => options.Tools = [Tool],
        ["AllowMultipleToolCalls"] = options => (options.AllowMultipleToolCalls, options.Tools) = (false, [Tool]),
        ["ToolMode"] = options => options.ToolMode = ChatToolMode.RequireAny,
        ["Reasoning.Effort"] = options => options.Reasoning = new ReasoningOptions { Effort = ReasoningEffort.High },
        ["Reasoning.Output"] = options => options.Reasoning = new ReasoningOptions { Output = ReasoningOutput.Summary },
        ["RawRepresentationFactory"] = options => options.RawRepresentationFactory = _ => "text",
        ["AdditionalProperties[\"min_p\"]"] = options => options.AdditionalProperties = new() { ["min_p"] = "much" },
        ["AdditionalProperties[\"ignore_eos\"]"] = options => options.AdditionalProperties = new() { ["ignore_eos"] = 1 },
        ["AdditionalProperties[\"logit_bias\"]"] = options => options.AdditionalProperties = new() { ["logit_bias"] = 1 },
        ["AdditionalProperties[\"enable_thinking\"]"] = options => options.AdditionalProperties = new() { ["enable_thinking"] = true },
        ["AdditionalProperties[\"num_ctx\"]"] = options => options.AdditionalProperties = new() { ["num_ctx"] = 1 },
    };

    public static TheoryData<string> HonouredFields => [.. Honoured.Keys];

    public static TheoryData<string> RefusedFields => [.. Refused.Keys];

    [Theory]
    [MemberData(nameof(HonouredFields))]
    public async Task AFieldReachesTheSampler(string field)
    {
        var options = new ChatOptions { MaxOutputTokens = 2 };
        var (set, isPassedOn) = Honoured[field];
        set(options);
        await client.GetResponseAsync("Hello", options);
        Assert.True(isPassedOn(sampling!), $"{field} did not reach the sampler: {sampling}");
    }

    [Theory]
    [MemberData(nameof(RefusedFields))]
    public async Task AFieldIsRefusedByName(string field)
    {
        var options = new ChatOptions { MaxOutputTokens = 2 };
        Refused[field](options);
        var error = await Assert.ThrowsAsync<NotSupportedException>(() => client.GetResponseAsync("Hello", options));
        Assert.StartsWith($"ChatOptions.{field} ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ValuesOutOfRangeAreRefused() =>
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => client.GetResponseAsync("Hello", new ChatOptions { Temperature = -1 }));

    [Fact]
    public void NoFieldIsForgotten()
    {
        // Conversations and instructions have tests of their own.
        var known = Honoured.Keys.Concat(Refused.Keys.Select(field => field.Split('.', '[')[0])).Concat(["ConversationId", "Instructions"]).ToHashSet();
        Assert.Empty(typeof(ChatOptions).GetProperties().Select(property => property.Name).Except(known));
    }
}
