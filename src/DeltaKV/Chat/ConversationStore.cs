namespace DeltaKV.Chat;

/// <summary>Keeps conversations by id, the most recently used ones. Thread-safe.</summary>
internal sealed class ConversationStore(int capacity)
{
    // Ids of this store are told apart from ids that callers make up: one of ours that is unknown has been forgotten.
    private const string OwnPrefix = "deltakv-";

    private readonly Lock gate = new();
    private readonly Dictionary<string, LinkedListNode<Conversation>> byId = new(StringComparer.Ordinal);
    private readonly LinkedList<Conversation> byUse = [];

    /// <summary>
    /// The conversation of that id, which is busy until <see cref="Leave"/>. Without an id, or with one that a caller made up, an unknown
    /// conversation is new and empty.
    /// </summary>
    internal Conversation Enter(string? id)
    {
        lock (gate)
        {
            if (id is not null && byId.TryGetValue(id, out var node))
            {
                if (node.Value.IsBusy)
                    throw new InvalidOperationException($"Conversation '{id}' is answering another request; one request at a time can continue it.");
                node.Value.IsBusy = true;
                return node.Value;
            }
        }
        if (id is not null && id.StartsWith(OwnPrefix, StringComparison.Ordinal))
        {
            throw new InvalidOperationException(
                $"Conversation '{id}' is not known any more; the last {capacity} are kept. Send the whole history without {nameof(Microsoft.Extensions.AI.ChatOptions.ConversationId)} instead.");
        }
        return new Conversation(id ?? $"{OwnPrefix}{Guid.NewGuid():N}") { IsBusy = true };
    }

    /// <summary>The request is over. A conversation in which something was said is kept.</summary>
    internal void Leave(Conversation conversation, bool hasGrown)
    {
        lock (gate)
        {
            conversation.IsBusy = false;
            if (!hasGrown || capacity == 0)
                return;
            if (byId.Remove(conversation.Id, out var node))
                byUse.Remove(node);
            byId[conversation.Id] = byUse.AddLast(conversation);
            if (byId.Count > capacity)
            {
                byId.Remove(byUse.First!.Value.Id);
                byUse.RemoveFirst();
            }
        }
    }
}
