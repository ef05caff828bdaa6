namespace DeltaKV.Evaluation;

/// <summary>The tokens a chat template puts around messages, found by rendering placeholders once.</summary>
/// <param name="Opening">Before the first user message.</param>
/// <param name="Answering">Between a user message and the answer to it.</param>
/// <param name="NextQuestion">Between an answer and the next user message.</param>
internal sealed record ChatFrame(int[] Opening, int[] Answering, int[] NextQuestion)
{
    private static readonly string[] Placeholders = ["First5519", "Second5520", "Third5521"];

    /// <summary>Reads the frame off a rendered conversation of three messages.</summary>
    /// <exception cref="EvaluationException">The template rewrites messages, so nothing can continue from a fixed prefix.</exception>
    public static ChatFrame Of(IEvaluationTokenizer tokenizer)
    {
        var rendered = tokenizer.RenderChat(Placeholders);
        var parts = rendered.Split(Placeholders, StringSplitOptions.None);
        if (parts.Length != 4)
        {
            throw new EvaluationException(
                $"The chat template rendered {Placeholders.Length} messages with {parts.Length - 1} of them in sight; evaluation needs a "
                + "template that keeps every message where it is. Pass a model whose template does, or set one in tokenizer_config.json.");
        }

        return new ChatFrame(tokenizer.EncodeRendered(parts[0]), tokenizer.EncodeRendered(parts[3]), tokenizer.EncodeRendered(parts[2]));
    }
}
