namespace DeltaKV.Engine;

/// <summary>A prompt leaves no room for an answer in the context of the engine.</summary>
public sealed class ContextOverflowException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ContextOverflowException(int promptTokens, int maxModelLength)
        : base($"The prompt has {promptTokens} tokens, but this engine holds {maxModelLength} per sequence, answer included. "
            + $"Shorten the prompt, or load the model with a larger {nameof(EngineOptions.MaxModelLength)} or more memory.")
    {
        PromptTokens = promptTokens;
        MaxModelLength = maxModelLength;
    }

    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens { get; }

    /// <summary>Tokens a sequence may have, prompt and answer together.</summary>
    public int MaxModelLength { get; }
}
