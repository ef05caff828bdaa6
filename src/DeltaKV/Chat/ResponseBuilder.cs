using DeltaKV.Engine;
using Microsoft.Extensions.AI;

namespace DeltaKV.Chat;

/// <summary>Builds the updates of one response, which share their ids.</summary>
internal sealed class ResponseBuilder(string model, string conversationId)
{
    private readonly DateTimeOffset createdAt = DateTimeOffset.UtcNow;

    internal string Id { get; } = $"response-{Guid.NewGuid():N}";

    internal ChatResponseUpdate Update(IList<AIContent> contents) => new(ChatRole.Assistant, contents)
    {
        ResponseId = Id,
        MessageId = Id,
        ModelId = model,
        ConversationId = conversationId,
        CreatedAt = createdAt,
    };

    internal ChatResponseUpdate Last(IList<AIContent> contents, ChatFinishReason reason, GenerationStatistics statistics)
    {
        var update = Update(contents);
        update.FinishReason = reason;
        update.AdditionalProperties = new AdditionalPropertiesDictionary { [DeltaKVChatClient.StatisticsProperty] = statistics };
        return update;
    }
}
