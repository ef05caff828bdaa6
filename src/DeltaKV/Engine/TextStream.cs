using System.Collections.Immutable;
using DeltaKV.Tokenization;

namespace DeltaKV.Engine;

/// <summary>Turns the tokens of one answer into text up to a stop sequence. The same tokens always give the same text and the same end.</summary>
internal sealed class TextStream(Tokenizer tokenizer, ImmutableArray<string> stops)
{
    private readonly StreamingDetokenizer detokenizer = tokenizer.CreateDetokenizer();
    private readonly StopSequenceMatcher matcher = new(stops);

    internal bool IsStopped => matcher.Matched is not null;

    /// <summary>Takes the next token; returns the text that is now certain.</summary>
    internal string Append(int token) => matcher.Append(detokenizer.Append(token));

    /// <summary>The text still held back, when no token follows.</summary>
    internal string Flush() => matcher.Append(detokenizer.Flush()) + matcher.Flush();
}
