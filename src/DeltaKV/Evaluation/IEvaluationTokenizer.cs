namespace DeltaKV.Evaluation;

/// <summary>What evaluation asks of a tokenizer.</summary>
internal interface IEvaluationTokenizer
{
    /// <summary>Tokens of plain text; markers like <c>&lt;|end|&gt;</c> in it are ordinary characters.</summary>
    int[] Encode(string text);

    /// <summary>Tokens of text that a chat template rendered: special markers become their tokens.</summary>
    int[] EncodeRendered(string text);

    /// <summary>Text of tokens, special ones left out.</summary>
    string Decode(ReadOnlySpan<int> tokens);

    /// <summary>The model's chat template applied to alternating user and assistant messages, ending where an answer begins.</summary>
    string RenderChat(IReadOnlyList<string> messages);
}
