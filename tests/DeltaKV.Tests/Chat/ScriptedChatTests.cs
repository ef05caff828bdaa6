using System.Text.Json;
using DeltaKV.Chat;
using DeltaKV.Engine;
using DeltaKV.Tests.Engine;
using DeltaKV.Weights;
using Microsoft.Extensions.AI;

namespace DeltaKV.Tests.Chat;

/// <summary>Tools, reasoning and history, with a model that says what the test wants.</summary>
public sealed class ScriptedChatTests : IDisposable
{
    private static readonly AIFunction Weather = AIFunctionFactory.Create((string city) => "sunny", "weather", "Tells the weather.");
    private readonly List<IDisposable> owned = [];

    public void Dispose() => owned.ForEach(item => item.Dispose());

    [Fact]
    public async Task AnEndTokenEndsTheAnswer()
    {
        var (client, runner) = Create("{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}", _ => "It is green.");
        var response = await client.GetResponseAsync("Colour?");

        Assert.Equal(("It is green.", ChatFinishReason.Stop), (response.Text, response.FinishReason));
        Assert.Equal("<|user|>Colour?<|end|>", Assert.Single(runner.Prompts));
    }

    [Fact]
    public async Task ReasoningIsToldApartFromTheAnswer()
    {
        var (client, _) = Create(ChatModelDirectory.ThinkingWithTools, _ => "<think>\nLet me see.\n</think>\n\nGreen.");
        var response = await client.GetResponseAsync("Colour?");

        Assert.Equal("Green.", response.Text);
        Assert.Equal("Let me see.", string.Concat(response.Messages[0].Contents.OfType<TextReasoningContent>().Select(part => part.Text)));
        Assert.InRange(response.Usage!.ReasoningTokenCount!.Value, 1, response.Usage.OutputTokenCount!.Value - 1);
    }

    [Fact]
    public async Task ReasoningCanBeSwitchedOffOrHidden()
    {
        var (client, runner) = Create(ChatModelDirectory.ThinkingWithTools, _ => "<think>hm</think>Green.");
        await client.GetResponseAsync("Colour?", new ChatOptions { Reasoning = new ReasoningOptions { Effort = ReasoningEffort.None } });
        Assert.EndsWith("<think>\n\n</think>\n\n", runner.Prompts[^1], StringComparison.Ordinal);

        var hidden = await client.GetResponseAsync("Colour?", new ChatOptions { Reasoning = new ReasoningOptions { Output = ReasoningOutput.None } });
        Assert.DoesNotContain(hidden.Messages[0].Contents, content => content is TextReasoningContent);
        Assert.Equal("Green.", hidden.Text);
    }

    [Fact]
    public async Task AThoughtThatTheTemplateOpensIsReasoning()
    {
        var (client, _) = Create("{% for m in messages %}{{ m.content }}{% endfor %}<think>\n{# ends with </think> #}", _ => "hm\n</think>\nGreen.");
        Assert.Equal("Green.", (await client.GetResponseAsync("Colour?")).Text);
    }

    [Fact]
    public async Task ACallIsReadAndItsResultIsWritten()
    {
        var (client, runner) = Create(ChatModelDirectory.ThinkingWithTools, prompt => prompt.Contains("<|tool|>", StringComparison.Ordinal)
            ? "Sunny."
            : "Wait.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}\n</tool_call>");
        var options = new ChatOptions { Tools = [Weather] };
        var first = await client.GetResponseAsync("Weather in Rome?", options);

        Assert.Equal(ChatFinishReason.ToolCalls, first.FinishReason);
        var call = Assert.Single(first.Messages[0].Contents.OfType<FunctionCallContent>());
        Assert.Equal(("weather", "Rome"), (call.Name, ((JsonElement)call.Arguments!["city"]!).GetString()));
        Assert.Contains("\"description\": \"Tells the weather.\"", runner.Prompts[0], StringComparison.Ordinal);

        var result = new ChatMessage(ChatRole.Tool, [new FunctionResultContent(call.CallId, "sunny")]);
        options.ConversationId = first.ConversationId;
        var second = await client.GetResponseAsync([result], options);
        Assert.Equal("Sunny.", second.Text);
        Assert.Contains("<tool_call>", runner.Prompts[1], StringComparison.Ordinal);
        Assert.Contains("<|tool|>sunny<|end|>", runner.Prompts[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<tool_call>not json</tool_call>")]
    [InlineData("<tool_call>{\"name\": 3}</tool_call>")]
    [InlineData("<tool_call>{\"name\": \"weather\", \"arg")]
    public async Task WhatIsNoCallIsText(string answer)
    {
        var (client, _) = Create(ChatModelDirectory.ThinkingWithTools, _ => answer);
        var response = await client.GetResponseAsync("Weather?", new ChatOptions { Tools = [Weather] });
        Assert.Equal((answer, ChatFinishReason.Stop), (response.Text, response.FinishReason));
    }

    [Fact]
    public async Task InstructionsJoinTheSystemMessage()
    {
        var (client, runner) = Create("{% for m in messages %}[{{ m.role }}:{{ m.content }}]{% endfor %}", _ => "ok");
        var options = new ChatOptions { Instructions = "Be brief." };
        await client.GetResponseAsync("Hi", options);
        await client.GetResponseAsync([new(ChatRole.System, "You are Ada."), new(ChatRole.User, "Hi")], options);

        Assert.Equal(["[system:Be brief.][user:Hi]", "[system:Be brief.\n\nYou are Ada.][user:Hi]"], runner.Prompts);
    }

    [Fact]
    public async Task AFailedRequestLeavesTheConversationAsItWas()
    {
        var (client, runner) = Create("{% for m in messages %}[{{ m.content }}]{% endfor %}", prompt => "ok");
        var options = new ChatOptions { ConversationId = "c" };
        await client.GetResponseAsync("one", options);
        var tooLong = new ChatOptions { ConversationId = "c", MaxOutputTokens = 1 };
        await Assert.ThrowsAsync<ContextOverflowException>(() => client.GetResponseAsync(string.Concat(Enumerable.Repeat("word ", 9000)), tooLong));
        await client.GetResponseAsync("two", options);

        Assert.Equal("[one][ok][two]", runner.Prompts[^1]);
    }

    [Fact]
    public async Task OnlySoManyConversationsAreKept()
    {
        var (client, _) = Create("{% for m in messages %}[{{ m.content }}]{% endfor %}", _ => "ok", new ChatClientOptions { MaxConversations = 2 });
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
            ids.Add((await client.GetResponseAsync("one")).ConversationId!);

        await Assert.ThrowsAsync<InvalidOperationException>(() => client.GetResponseAsync("two", new ChatOptions { ConversationId = ids[0] }));
        Assert.NotNull(await client.GetResponseAsync("two", new ChatOptions { ConversationId = ids[2] }));
    }

    [Fact]
    public void AModelWithoutAChatTemplateIsRefused()
    {
        var error = Assert.Throws<NotSupportedException>(() => Create(null, _ => ""));
        Assert.Contains("no chat template", error.Message, StringComparison.Ordinal);
    }

    private (DeltaKVChatClient Client, ScriptedModelRunner Runner) Create(string? template, Func<string, string> answer, ChatClientOptions? options = null)
    {
        var directory = new ChatModelDirectory(template);
        owned.Add(directory);
        var runner = new ScriptedModelRunner(answer);
        var plan = new MemoryPlan
        {
            Device = "test", BudgetBytes = 0, WeightBytes = 0, WorkspaceBytes = 0, KvBytesPerToken = 8, BlockSize = 16, BlockCount = 512, MaxModelLength = 8192,
        };
        var defaults = new GenerationDefaults { EosTokenIds = [ScriptedModelRunner.EndToken] };
        var engine = new LlmEngine(directory.Path, TestEngine.Config, defaults, TestEngine.Tokenizer, plan, new EngineOptions(), runner);
        owned.Insert(0, engine);
        return (new DeltaKVChatClient(engine, options), runner);
    }
}
