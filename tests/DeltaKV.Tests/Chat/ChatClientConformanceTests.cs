using DeltaKV.Engine;
using Microsoft.Extensions.AI;

namespace DeltaKV.Tests.Chat;

/// <summary>What every chat client of this library must do, whatever model is behind it. Derive and give the client.</summary>
public abstract class ChatClientConformanceTests
{
    private const int AnswerTokens = 12;

    // Longer than a block of the cache, so that there is something to reuse, and of facts that needle-16m can look up.
    private const string Notes = """
        Read these notes.
        The amber gate was painted teal.
        The access code of the velvet bell is 48213.
        Room 512 holds the records of the hollow mill.
        The keeper of the silver tower is Brano.
        The roof of the frozen pier is made of zinc.
        You can find the lucky canal in the city of Oakden.

        """;

    private static readonly string[] Questions =
    [
        "What color is the amber gate?", "What is the access code of the velvet bell?",
        "Who is the keeper of the silver tower?", "What is the roof of the frozen pier made of?", "Where is the lucky canal located?",
    ];

    private static readonly ChatMessage[] Greeting = [new(ChatRole.User, Notes + Questions[0])];

    /// <summary>A client of a model that would answer at least 12 tokens when its end tokens are ignored.</summary>
    protected abstract IChatClient Client { get; }

    private static ChatOptions Options => new()
    {
        MaxOutputTokens = AnswerTokens,
        Temperature = 0,
        AdditionalProperties = new AdditionalPropertiesDictionary { ["ignore_eos"] = true },
    };

    [Fact]
    public async Task AResponseIsComplete()
    {
        var response = await Client.GetResponseAsync(Greeting, Options);

        var message = Assert.Single(response.Messages);
        Assert.Equal(ChatRole.Assistant, message.Role);
        Assert.False(string.IsNullOrEmpty(response.ResponseId));
        Assert.False(string.IsNullOrEmpty(response.ConversationId));
        Assert.Equal(Client.GetService<ChatClientMetadata>()!.DefaultModelId, response.ModelId);
        Assert.Equal(ChatFinishReason.Length, response.FinishReason);
        Assert.NotNull(response.CreatedAt);
    }

    [Fact]
    public async Task UsageIsMeasured()
    {
        var response = await Client.GetResponseAsync(Greeting, Options);

        var usage = response.Usage!;
        Assert.Equal(AnswerTokens, usage.OutputTokenCount);
        Assert.True(usage.InputTokenCount > 5);
        Assert.Equal(usage.InputTokenCount + usage.OutputTokenCount, usage.TotalTokenCount);
        Assert.InRange(usage.CachedInputTokenCount!.Value, 0, usage.InputTokenCount!.Value - 1);
        Assert.True(usage.AdditionalCounts![DeltaKV.Chat.UsageCounts.KvBytes] > 0);
        Assert.True(usage.AdditionalCounts[DeltaKV.Chat.UsageCounts.KvFullBytes] > 0);
        Assert.True(usage.AdditionalCounts[DeltaKV.Chat.UsageCounts.KvPeakBytes] >= usage.AdditionalCounts[DeltaKV.Chat.UsageCounts.KvBytes]);
        var statistics = Assert.IsType<GenerationStatistics>(response.AdditionalProperties![DeltaKV.Chat.DeltaKVChatClient.StatisticsProperty]);
        Assert.Equal(AnswerTokens, statistics.OutputTokens);
    }

    [Fact]
    public async Task StreamingGivesTheSameAnswerInPieces()
    {
        var whole = await Client.GetResponseAsync(Greeting, Options);
        var updates = await Client.GetStreamingResponseAsync(Greeting, Options).ToListAsync();

        Assert.Equal(whole.Text, string.Concat(updates.Select(update => update.Text)));
        Assert.Single(updates, update => update.FinishReason is not null);
        Assert.Equal(ChatFinishReason.Length, updates[^1].FinishReason);
        Assert.Contains(updates[^1].Contents, content => content is UsageContent);
        Assert.Single(updates.Select(update => update.ResponseId).Distinct());
        Assert.All(updates, update => Assert.Equal(ChatRole.Assistant, update.Role));
        Assert.All(updates, update => Assert.NotEmpty(update.Contents));
    }

    [Fact]
    public async Task AStopSequenceEndsTheAnswerAndIsNotPartOfIt()
    {
        var whole = (await Client.GetResponseAsync(Greeting, Options)).Text;
        var stop = whole.Substring(whole.Length / 2, 3);
        var options = Options;
        options.StopSequences = [stop];
        var response = await Client.GetResponseAsync(Greeting, options);

        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
    }

    [Fact]
    public async Task ASeedMakesSamplingRepeatable()
    {
        var options = Options;
        options.Temperature = 1.5f;
        options.Seed = 42;
        var first = await Client.GetResponseAsync(Greeting, options);
        Assert.Equal(first.Text, (await Client.GetResponseAsync(Greeting, options)).Text);
    }

    [Fact]
    public async Task AConversationGoesOnWhereItWas()
    {
        var first = await Client.GetResponseAsync(Greeting, Options);
        var question = new ChatMessage(ChatRole.User, Questions[3]);
        var options = Options;
        options.ConversationId = first.ConversationId;
        var continued = await Client.GetResponseAsync([question], options);
        var whole = await Client.GetResponseAsync([.. Greeting, .. first.Messages, question], Options);

        Assert.Equal(whole.Text, continued.Text);
        Assert.Equal(whole.Usage!.InputTokenCount, continued.Usage!.InputTokenCount);
        Assert.Equal(first.ConversationId, continued.ConversationId);
        Assert.NotEqual(first.ConversationId, whole.ConversationId);
        Assert.True(continued.Usage.CachedInputTokenCount > 0);
    }

    [Fact]
    public async Task AMadeUpIdBeginsAConversation()
    {
        var options = Options;
        options.ConversationId = $"mine-{Guid.NewGuid():N}";
        var first = await Client.GetResponseAsync(Greeting, options);
        Assert.Equal(options.ConversationId, first.ConversationId);
        var second = await Client.GetResponseAsync([new ChatMessage(ChatRole.User, "Go on.")], options);
        Assert.True(second.Usage!.InputTokenCount > first.Usage!.InputTokenCount);
    }

    [Fact]
    public async Task AForgottenConversationIsAnErrorNotAnEmptyOne()
    {
        var options = Options;
        options.ConversationId = "deltakv-0";
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => Client.GetResponseAsync(Greeting, options));
        Assert.Contains("not known any more", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AConversationAnswersOneRequestAtATime()
    {
        var options = Options;
        options.ConversationId = (await Client.GetResponseAsync(Greeting, Options)).ConversationId;
        await using (var stream = Client.GetStreamingResponseAsync(Greeting, options).GetAsyncEnumerator())
        {
            Assert.True(await stream.MoveNextAsync());
            await Assert.ThrowsAsync<InvalidOperationException>(() => Client.GetResponseAsync(Greeting, options));
        }
        Assert.NotNull(await Client.GetResponseAsync(Greeting, options));
    }

    [Fact]
    public async Task ManyCallersGetTheirOwnAnswers()
    {
        var questions = Questions.Select(question => Notes + question).ToList();
        var alone = new List<string>();
        foreach (var question in questions)
            alone.Add((await Client.GetResponseAsync(question, Options)).Text);
        var together = await Task.WhenAll(Enumerable.Range(0, 15).Select(i => Task.Run(() => Client.GetResponseAsync(questions[i % questions.Count], Options))));
        for (var i = 0; i < together.Length; i++)
            Assert.Equal(alone[i % questions.Count], together[i].Text);
    }

    [Fact]
    public async Task CancellationEndsARequest()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Client.GetResponseAsync(Greeting, Options, cancelled.Token));

        using var later = new CancellationTokenSource();
        var options = Options;
        options.MaxOutputTokens = null;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var update in Client.GetStreamingResponseAsync(Greeting, options, later.Token))
                await later.CancelAsync();
        });
    }

    [Fact]
    public async Task NothingOfTheCallerIsChanged()
    {
        var options = Options;
        options.Instructions = "Be brief.";
        var messages = new List<ChatMessage> { new(ChatRole.User, "Hello") };
        await Client.GetResponseAsync(messages, options);

        Assert.Equal("Hello", Assert.Single(messages).Text);
        Assert.Equal((AnswerTokens, "Be brief.", null), (options.MaxOutputTokens, options.Instructions, options.ConversationId));
    }

    [Fact]
    public async Task InstructionsAreReadByTheModel()
    {
        var options = Options;
        options.Instructions = "You are a very careful assistant.";
        var with = await Client.GetResponseAsync(Greeting, options);
        var without = await Client.GetResponseAsync(Greeting, Options);
        Assert.True(with.Usage!.InputTokenCount > without.Usage!.InputTokenCount);
    }

    [Fact]
    public async Task MissingArgumentsAreRefused()
    {
        await Assert.ThrowsAsync<ArgumentNullException>(() => Client.GetResponseAsync((IEnumerable<ChatMessage>)null!));
        Assert.Throws<ArgumentNullException>(() => Client.GetStreamingResponseAsync((IEnumerable<ChatMessage>)null!));
        await Assert.ThrowsAsync<ArgumentException>(() => Client.GetResponseAsync([]));
        Assert.Throws<ArgumentNullException>(() => Client.GetService(null!));
    }

    [Fact]
    public async Task ContentThatATextModelCannotReadIsRefusedByName()
    {
        var message = new ChatMessage(ChatRole.User, [new TextContent("Look:"), new DataContent(new byte[] { 1 }, "image/png")]);
        var error = await Assert.ThrowsAsync<NotSupportedException>(() => Client.GetResponseAsync([message], Options));
        Assert.Contains(nameof(DataContent), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ServicesAreFound()
    {
        Assert.Same(Client, Client.GetService<IChatClient>());
        Assert.NotNull(Client.GetService<LlmEngine>());
        Assert.Null(Client.GetService<string>());
        Assert.Null(Client.GetService(typeof(IChatClient), "key"));
    }
}
