namespace DeltaKV.Chat;

/// <summary>How a chat client is set up. Immutable; a value outside its range throws where it is set.</summary>
public sealed record ChatClientOptions
{
    /// <summary>Conversations kept for <c>ConversationId</c>; beyond that the one unused for longest is forgotten. 0 keeps none.</summary>
    public int MaxConversations
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"{nameof(MaxConversations)} is {value}, expected at least 0.");
    } = 256;

    /// <summary>Dispose the engine with the client.</summary>
    public bool OwnsEngine { get; init; }
}
