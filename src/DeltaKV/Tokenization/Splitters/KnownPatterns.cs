namespace DeltaKV.Tokenization.Splitters;

/// <summary>The split patterns this library has a scanner for, by their exact text.</summary>
internal static class KnownPatterns
{
    internal const string Llama3 = """(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+""";
    internal const string Qwen2 = """(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+""";
    internal const string Gpt2 = """'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+""";
    internal const string Tekken = """[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+""";

    internal static WordSplitter? Find(string pattern) => pattern switch
    {
        Llama3 => new LlamaSplitter(longestNumber: 3),
        Qwen2 => new LlamaSplitter(longestNumber: 1),
        Gpt2 => new Gpt2Splitter(),
        Tekken => new TekkenSplitter(),
        _ => null,
    };
}
