using DeltaKV.Tokenization;

namespace DeltaKV.Evaluation;

/// <summary>A model directory's tokenizer and chat template, as evaluation asks for them.</summary>
internal sealed class ModelTokenizer(Tokenizer tokenizer, TokenizerConfiguration configuration) : IEvaluationTokenizer
{
    private readonly ChatTemplate _template = configuration.ChatTemplate ?? throw new EvaluationException(
        "The model has no chat template; evaluation asks its questions through one. Add a chat_template to its tokenizer_config.json.");

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
    public string RenderChat(IReadOnlyList<string> messages) => _template.Render(
        [.. messages.Select((text, i) => new ChatTemplateMessage(i % 2 == 0 ? "user" : "assistant", text))]);
}
