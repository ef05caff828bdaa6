using System.Text;

namespace DeltaKV.Tokenization;

/// <summary>
/// Encodes words with one vocabulary: cache, then whole-word lookup where the model asks for it, then merges. Not thread-safe; the
/// tokenizer pools them.
/// </summary>
internal sealed class WordEncoder(Vocabulary vocabulary, MergeTable merges, bool ignoreMerges)
{
    private readonly BytePairMerger merger = new(merges);
    private readonly WordCache cache = new();
    private byte[] utf8 = new byte[256];
    private char[] symbols = new char[256];

    internal TokenBuffer Output { get; } = new();

    /// <summary>Appends the ids of <paramref name="word"/> to <see cref="Output"/>.</summary>
    internal void Encode(ReadOnlySpan<char> word)
    {
        if (!WordCache.Holds(word))
        {
            EncodeUncached(word);
            return;
        }

        var hash = WordCache.Hash(word);
        if (cache.TryGet(word, hash, out var known))
        {
            Output.Add(known);
            return;
        }

        var before = Output.Count;
        EncodeUncached(word);
        cache.Add(word, hash, Output.Ids[before..]);
    }

    private void EncodeUncached(ReadOnlySpan<char> word)
    {
        var most = Encoding.UTF8.GetMaxByteCount(word.Length);
        if (utf8.Length < most)
        {
            utf8 = new byte[most];
            symbols = new char[most];
        }

        var bytes = utf8.AsSpan(0, Encoding.UTF8.GetBytes(word, utf8));
        if (ignoreMerges && TryEncodeWhole(bytes, out var whole))
        {
            Output.Add(whole);
            return;
        }

        var ids = Output.Extend(bytes.Length);
        for (var i = 0; i < bytes.Length; i++)
            ids[i] = vocabulary.ByteId(bytes[i]);
        Output.Shrink(bytes.Length - merger.Merge(ids));
    }

    private bool TryEncodeWhole(ReadOnlySpan<byte> bytes, out int id)
    {
        for (var i = 0; i < bytes.Length; i++)
            symbols[i] = ByteLevelAlphabet.ToCharacter(bytes[i]);
        return vocabulary.TryGetModelId(symbols.AsSpan(0, bytes.Length), out id);
    }
}
