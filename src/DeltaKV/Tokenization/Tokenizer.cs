using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using DeltaKV.Tokenization.Normalization;

namespace DeltaKV.Tokenization;

/// <summary>
/// A byte-level BPE tokenizer read from a Hugging Face <c>tokenizer.json</c>; its ids are those of Hugging Face <c>tokenizers</c>.
/// Thread-safe.
/// </summary>
public sealed class Tokenizer
{
    private const string FileName = "tokenizer.json";

    private readonly TokenizerFile file;
    private readonly AddedTokenMatcher addedTokens;
    private readonly AddedTokenMatcher normalizedAddedTokens;
    private readonly ConcurrentBag<WordEncoder> encoders = [];

    private Tokenizer(TokenizerFile file)
    {
        this.file = file;
        addedTokens = new AddedTokenMatcher(file.AddedTokens.Where(token => !token.MatchesNormalized));
        normalizedAddedTokens = new AddedTokenMatcher(file.AddedTokens.Where(token => token.MatchesNormalized));
    }

    /// <summary>One more than the largest token id. The model's own vocabulary may be padded beyond it.</summary>
    public int VocabularySize => file.Vocabulary.Size;

    /// <summary>The ids of special tokens: those that steer the model rather than spell text.</summary>
    public IReadOnlySet<int> SpecialTokenIds => field ??= file.Vocabulary.SpecialIds.ToHashSet();

    /// <summary>Reads a tokenizer from a model directory or from the path of a <c>tokenizer.json</c>.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="TokenizerFormatException">The file is damaged or asks for something unsupported; the message names it.</exception>
    public static Tokenizer Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var filePath = Directory.Exists(path) ? Path.Combine(path, FileName) : path;
        if (!File.Exists(filePath))
            throw new FileNotFoundException($"No tokenizer at '{filePath}'; expected a model directory with a {FileName}, or the path of one.", filePath);
        return new Tokenizer(TokenizerFile.Read(filePath));
    }

    /// <summary>Encodes text.</summary>
    /// <param name="text">Any text; a lone surrogate is encoded as U+FFFD.</param>
    /// <param name="addSpecialTokens">Whether to add what the model expects around a text, such as a beginning-of-text token.</param>
    /// <param name="parseSpecialTokens">Whether special tokens written in the text become their ids (as a rendered chat template needs) or stay plain text.</param>
    public int[] Encode(ReadOnlySpan<char> text, bool addSpecialTokens = false, bool parseSpecialTokens = true)
    {
        if (!encoders.TryTake(out var encoder))
            encoder = new WordEncoder(file.Vocabulary, file.Merges, file.IgnoreMerges);
        encoder.Output.Clear();
        if (addSpecialTokens)
            encoder.Output.Add(file.Frame.Prefix);
        EncodeRaw(text, parseSpecialTokens, encoder);
        if (addSpecialTokens)
            encoder.Output.Add(file.Frame.Suffix);
        var ids = encoder.Output.Ids.ToArray();
        encoders.Add(encoder);
        return ids;
    }

    /// <summary>Decodes ids to text. Bytes that are not UTF-8 become U+FFFD; ids without a token are passed over.</summary>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        var bytes = new ArrayBufferWriter<byte>();
        foreach (var id in ids)
        {
            if (!skipSpecialTokens || !file.Vocabulary.IsSpecial(id))
                bytes.Write(file.Vocabulary.Bytes(id));
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    /// <summary>Starts decoding a stream of ids piece by piece.</summary>
    public StreamingDetokenizer CreateDetokenizer(bool skipSpecialTokens = true) => new(this, skipSpecialTokens);

    /// <summary>The bytes a token stands for, which need not be whole characters; empty for an id without a token.</summary>
    public ReadOnlySpan<byte> TokenBytes(int id) => file.Vocabulary.Bytes(id);

    /// <summary>
    /// The id of a token as the vocabulary spells it (in the byte-level alphabet, or an added token's text); null when there is none.
    /// </summary>
    public int? TokenToId(string token) => file.Vocabulary.Id(token);

    /// <summary>How the vocabulary spells a token; null for an id without one.</summary>
    public string? IdToToken(int id) => file.Vocabulary.Token(id);

    /// <summary>Whether a token steers the model rather than spells text.</summary>
    public bool IsSpecialToken(int id) => file.Vocabulary.IsSpecial(id);

    private void EncodeRaw(ReadOnlySpan<char> text, bool parseSpecial, WordEncoder encoder)
    {
        var position = 0;
        while (!addedTokens.IsEmpty && addedTokens.TryFindNext(text, position, parseSpecial, out var match))
        {
            EncodeNormalized(Normalize(text[position..match.Start]), parseSpecial, encoder);
            encoder.Output.Add(match.Id);
            position = match.End;
        }

        EncodeNormalized(Normalize(text[position..]), parseSpecial, encoder);
    }

    private void EncodeNormalized(ReadOnlySpan<char> text, bool parseSpecial, WordEncoder encoder)
    {
        var position = 0;
        while (!normalizedAddedTokens.IsEmpty && normalizedAddedTokens.TryFindNext(text, position, parseSpecial, out var match))
        {
            EncodeWords(text[position..match.Start], encoder);
            encoder.Output.Add(match.Id);
            position = match.End;
        }

        EncodeWords(text[position..], encoder);
    }

    private void EncodeWords(ReadOnlySpan<char> text, WordEncoder encoder)
    {
        for (var start = 0; start < text.Length;)
        {
            var end = file.Splitter.EndOfWord(text, start);
            encoder.Encode(text[start..end]);
            start = end;
        }
    }

    private ReadOnlySpan<char> Normalize(ReadOnlySpan<char> text) => file.NormalizesToFormC ? CanonicalComposer.Normalize(text) : text;
}
