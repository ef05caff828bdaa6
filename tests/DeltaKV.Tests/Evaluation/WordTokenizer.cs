using System.Text.RegularExpressions;
using DeltaKV.Evaluation;

namespace DeltaKV.Tests.Evaluation;

/// <summary>A token per word, space or mark, numbered as they come: enough to build documents without a model.</summary>
internal sealed partial class WordTokenizer : IEvaluationTokenizer
{
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly List<string> _texts = [];

    public int[] Encode(string text) => [.. Words().Matches(text).Select(m => Id(m.Value))];

    public int[] EncodeRendered(string text) => [.. Markers().Split(text).SelectMany(part => Markers().IsMatch(part) ? [Id(part)] : Encode(part))];

    public string Decode(ReadOnlySpan<int> tokens) =>
        string.Concat(tokens.ToArray().Select(t => _texts[t]).Where(t => !Markers().IsMatch(t)));

    public string DecodeWithMarkers(ReadOnlySpan<int> tokens) => string.Concat(tokens.ToArray().Select(t => _texts[t]));

    public string RenderChat(IReadOnlyList<string> messages) => "<|bos|>"
        + string.Concat(messages.Select((m, i) => $"<|{(i % 2 == 0 ? "user" : "assistant")}|>{m}<|end|>")) + "<|assistant|>";

    private int Id(string word)
    {
        if (!_ids.TryGetValue(word, out var id))
        {
            _ids[word] = id = _texts.Count;
            _texts.Add(word);
        }

        return id;
    }

    [GeneratedRegex(@"\w+|\s|[^\w\s]")]
    private static partial Regex Words();

    [GeneratedRegex(@"(<\|\w+\|>)")]
    private static partial Regex Markers();
}
