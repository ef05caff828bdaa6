using System.Text;

namespace DeltaKV.Tokenization;

/// <summary>
/// Decodes ids as they arrive. A character whose bytes are split over tokens is held back until it is whole, so U+FFFD stands only for
/// bytes that
/// can no longer become UTF-8; the pieces join to what <see cref="Tokenizer.Decode"/> gives for all ids. Not thread-safe.
/// </summary>
public sealed class StreamingDetokenizer
{
    private readonly Tokenizer tokenizer;
    private readonly bool skipSpecialTokens;
    private readonly Decoder decoder = Encoding.UTF8.GetDecoder();
    private char[] characters = new char[64];

    internal StreamingDetokenizer(Tokenizer tokenizer, bool skipSpecialTokens)
    {
        this.tokenizer = tokenizer;
        this.skipSpecialTokens = skipSpecialTokens;
    }

    /// <summary>Takes the next id and returns the text that is now certain; empty while a character is incomplete.</summary>
    public string Append(int id) => skipSpecialTokens && tokenizer.IsSpecialToken(id) ? "" : Decode(tokenizer.TokenBytes(id), flush: false);

    /// <summary>Ends the stream: what is still held back becomes U+FFFD. The detokenizer can then be used anew.</summary>
    public string Flush() => Decode([], flush: true);

    private string Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        // Held-back bytes can add one replacement character in front.
        var most = Encoding.UTF8.GetMaxCharCount(bytes.Length) + 1;
        if (characters.Length < most)
            characters = new char[most];
        return new string(characters, 0, decoder.GetChars(bytes, characters, flush));
    }
}
