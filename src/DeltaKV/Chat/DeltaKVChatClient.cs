using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using DeltaKV.Engine;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeltaKV.Chat;

/// <summary>
/// Chats with the model of an <see cref="LlmEngine"/> in its own chat format. Thread-safe.
/// </summary>
/// <remarks>
/// <para>Every field of <see cref="ChatOptions"/> is honoured or refused with <see cref="NotSupportedException"/> naming it. Responses carry a
/// <see cref="ChatResponse.ConversationId"/>: with it, a request sends new messages only, and what was said before is neither sent nor
/// computed again. A made-up id begins a conversation under that name.</para>
/// <para>The last update of a stream carries <see cref="UsageContent"/> and, under <see cref="StatisticsProperty"/>, a
/// <see cref="GenerationStatistics"/>.</para>
/// </remarks>
public sealed class DeltaKVChatClient : IChatClient
{
    /// <summary>Key of the <see cref="GenerationStatistics"/> in <see cref="ChatResponse.AdditionalProperties"/>.</summary>
    public const string StatisticsProperty = "deltakv.statistics";

    private readonly LlmEngine engine;
    private readonly ChatFormat format;
    private readonly ChatClientOptions options;
    private readonly ConversationStore conversations;
    private readonly ChatTelemetry telemetry;
    private readonly ChatClientMetadata metadata;

    /// <summary>Creates a client of an engine.</summary>
    /// <exception cref="NotSupportedException">The model has no chat template.</exception>
    /// <exception cref="Tokenization.ChatTemplateException">The model's chat template uses something unsupported.</exception>
    public DeltaKVChatClient(LlmEngine engine, ChatClientOptions? options = null, ILoggerFactory? loggerFactory = null)
    {
        ArgumentNullException.ThrowIfNull(engine);
        this.engine = engine;
        this.options = options ?? new ChatClientOptions();
        format = ChatFormat.Load(engine.ModelDirectory);
        conversations = new ConversationStore(this.options.MaxConversations);
        var loggers = loggerFactory ?? engine.Options.LoggerFactory ?? NullLoggerFactory.Instance;
        telemetry = new ChatTelemetry(engine.ModelName, loggers.CreateLogger<DeltaKVChatClient>());
        metadata = new ChatClientMetadata(ChatTelemetry.Provider, providerUri: null, engine.ModelName);
    }

    /// <inheritdoc/>
    /// <inheritdoc cref="GetStreamingResponseAsync" path="/exception"/>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var response = await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken).ConfigureAwait(false);
        // Joining the updates leaves what they carry with the message; it is about the response.
        response.AdditionalProperties ??= response.Messages[^1].AdditionalProperties;
        return response;
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">There are no messages, or an option is out of its range.</exception>
    /// <exception cref="NotSupportedException">An option or a message asks for what this model or client cannot do; it is named.</exception>
    /// <exception cref="Tokenization.ChatTemplateException">The model's chat template refuses the messages.</exception>
    /// <exception cref="ContextOverflowException">The conversation leaves no room for an answer.</exception>
    /// <exception cref="ObjectDisposedException">The engine was disposed.</exception>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var request = ChatRequestReader.Read(this, engine, format, options);
        var said = messages.SelectMany(message => MessageWriter.Write(message, format.SupportsTools)).ToList();
        if (said.Count == 0 && request.ConversationId is null)
            throw new ArgumentException("There are no messages.", nameof(messages));
        return StreamAsync(request, said, cancellationToken);
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        return serviceType == typeof(ChatClientMetadata) ? metadata
            : serviceType == typeof(LlmEngine) ? engine
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Disposes the engine too if the client owns it.</summary>
    public void Dispose()
    {
        if (options.OwnsEngine)
            engine.Dispose();
        telemetry.Dispose();
    }

    private async IAsyncEnumerable<ChatResponseUpdate> StreamAsync(
        ChatRequest request, List<JsonObject> said, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var conversation = conversations.Enter(request.ConversationId);
        var hasGrown = false;
        try
        {
            var response = new ResponseBuilder(engine.ModelName, conversation.Id);
            using var operation = telemetry.Start(request, response.Id, conversation.Id);
            var prompt = Render(request, conversation.Messages.Concat(said));
            // A template may open the thoughts of the answer itself.
            var thinksAtOnce = format.SupportsThinking && prompt.AsSpan().TrimEnd().EndsWith("<think>");
            var answer = new AnswerReader(format.SupportsThinking, request.Tools is not null, thinksAtOnce);
            var reasoningTokens = 0;

            var tokens = engine.Tokenizer.Encode(prompt);
            await using var updates = engine.GenerateAsync(tokens, request.Sampling, cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (await MoveNextAsync(updates, operation).ConfigureAwait(false))
            {
                var update = updates.Current;
                var contents = new List<AIContent>();
                reasoningTokens += answer.IsReasoning ? 1 : 0;
                answer.Append(update.Text, contents);
                if (update.Statistics is not null)
                    answer.Flush(contents);
                if (request.DropsReasoning)
                    contents.RemoveAll(content => content is TextReasoningContent);
                if (update.Statistics is not { } statistics)
                {
                    if (contents.Count > 0)
                        yield return response.Update(contents);
                    continue;
                }

                var reason = FinishReasonOf(update, answer);
                contents.Add(new UsageContent(UsageCounts.ToUsage(statistics, reasoningTokens)));
                conversation.Add([.. said, ToMessage(answer)]);
                hasGrown = true;
                operation.Complete(statistics, reason.Value);
                yield return response.Last(contents, reason, statistics);
            }
        }
        finally
        {
            conversations.Leave(conversation, hasGrown);
        }
    }

    private static async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<GenerationUpdate> updates, ChatOperation operation)
    {
        try
        {
            return await updates.MoveNextAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            operation.Fail(error);
            throw;
        }
    }

    private string Render(ChatRequest request, IEnumerable<JsonObject> messages)
    {
        var array = new JsonArray([.. messages.Select(message => message.DeepClone())]);
        if (request.Instructions is { Length: > 0 } instructions)
            AddInstructions(array, instructions);
        return format.Render(array, request.Tools, request.Variables);
    }

    private static void AddInstructions(JsonArray messages, string instructions)
    {
        // Templates know one system message at most, the first.
        if (messages is [JsonObject first, ..] && (string?)first["role"] == ChatRole.System.Value)
            first["content"] = $"{instructions}\n\n{first["content"]}";
        else
            messages.Insert(0, new JsonObject { ["role"] = ChatRole.System.Value, ["content"] = instructions });
    }

    private static JsonObject ToMessage(AnswerReader answer)
    {
        var contents = new List<AIContent>();
        if (answer.Reasoning.Length > 0)
            contents.Add(new TextReasoningContent(answer.Reasoning));
        contents.Add(new TextContent(answer.Text));
        contents.AddRange(answer.Calls);
        return MessageWriter.Write(new ChatMessage(ChatRole.Assistant, contents), supportsTools: true).Single();
    }

    private static ChatFinishReason FinishReasonOf(GenerationUpdate update, AnswerReader answer) =>
        answer.Calls.Count > 0 ? ChatFinishReason.ToolCalls
        : update.FinishReason == FinishReason.Length ? ChatFinishReason.Length
        : ChatFinishReason.Stop;
}
