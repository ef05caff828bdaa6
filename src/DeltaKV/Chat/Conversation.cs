using System.Text.Json.Nodes;

namespace DeltaKV.Chat;

/// <summary>What has been said in a conversation, as its template reads it. Its keys and values are in the engine's prefix cache.</summary>
internal sealed class Conversation(string id)
{
    private readonly List<JsonObject> messages = [];

    internal string Id { get; } = id;

    /// <summary>A request is being answered; guarded by the store.</summary>
    internal bool IsBusy { get; set; }

    internal IEnumerable<JsonObject> Messages => messages;

    internal void Add(IEnumerable<JsonObject> said) => messages.AddRange(said);
}
