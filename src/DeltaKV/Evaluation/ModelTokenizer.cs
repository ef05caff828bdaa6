using DeltaKV.Tokenization;

namespace DeltaKV.Evaluation;

/// <summary>A model directory's tokenizer and chat template, as evaluation asks for them.</summary>
internal sealed class ModelTokenizer(Tokenizer tokenizer, TokenizerConfiguration configuration) : IEvaluationTokenizer
{
    /// <summary>Loads both.</summary>
    public static ModelTokenizer Load(string modelDirectory) =>
        new(Tokenizer.Load(modelDirectory), TokenizerConfiguration.Load(modelDirectory));

    /// <inheritdoc/>
    public int[] Encode(string text) => tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: false);

    /// <inheritdoc/>
    public int[] EncodeRendered(string text) => tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: true);

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> tokens) => tokenizer.Decode(tokens, skipSpecialTokens: true);

    /// <inheritdoc/>
    /// <exception cref="EvaluationException">The model has no chat template.</exception>
    public string RenderChat(IReadOnlyList<string> messages) => Template.Render(
        [.. messages.Select((text, i) => new ChatTemplateMessage(i % 2 == 0 ? "user" : "assistant", text))]);

    private ChatTemplate Template => configuration.ChatTemplate ?? throw new EvaluationException(
        "The model has no chat template; questions are asked through one. Add a chat_template to its tokenizer_config.json, or read plain text.");
}
