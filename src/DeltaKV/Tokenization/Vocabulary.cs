using System.Text;

namespace DeltaKV.Tokenization;

/// <summary>Token strings, ids and bytes: those of the model and the added ones. Immutable.</summary>
internal sealed class Vocabulary
{
    private readonly Dictionary<string, int> modelIds;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> modelLookup;
    private readonly Dictionary<string, int> addedIds = [];
    private readonly HashSet<int> specialIds = [];
    private readonly string?[] tokens;
    private readonly int[] byteStarts;
    private readonly byte[] bytes;
    private readonly int[] byteIds = new int[256];

    internal Vocabulary(Dictionary<string, int> modelIds, IReadOnlyList<AddedToken> added)
    {
        this.modelIds = modelIds;
        modelLookup = modelIds.GetAlternateLookup<ReadOnlySpan<char>>();
        var size = 1 + modelIds.Values.Concat(added.Select(token => token.Id)).DefaultIfEmpty(-1).Max();
        if (size > (4 * (modelIds.Count + added.Count)) + 65536)
            throw new TokenizerFormatException($"The vocabulary has {modelIds.Count + added.Count} tokens but ids up to {size - 1}; the file is damaged.");

        tokens = new string?[size];
        foreach (var (token, id) in modelIds)
            Place(token, id);
        foreach (var token in added)
            PlaceAdded(token);

        var spellings = tokens.ToArray();
        foreach (var token in added)
            spellings[token.Id] = token.Matched;
        (bytes, byteStarts) = JoinBytes(spellings);
        FillByteIds();
    }

    /// <summary>One more than the largest id.</summary>
    internal int Size => tokens.Length;

    internal IEnumerable<int> SpecialIds => specialIds;

    internal bool IsSpecial(int id) => specialIds.Contains(id);

    internal int ByteId(byte value) => byteIds[value];

    internal string? Token(int id) => (uint)id < (uint)tokens.Length ? tokens[id] : null;

    internal int? Id(string token) => addedIds.TryGetValue(token, out var id) || modelIds.TryGetValue(token, out id) ? id : null;

    /// <summary>Looks a byte-level string up among the model's own tokens.</summary>
    internal bool TryGetModelId(ReadOnlySpan<char> token, out int id) => modelLookup.TryGetValue(token, out id);

    /// <summary>The bytes a token stands for; empty for an id without a token.</summary>
    internal ReadOnlySpan<byte> Bytes(int id) =>
        (uint)id < (uint)tokens.Length ? bytes.AsSpan(byteStarts[id], byteStarts[id + 1] - byteStarts[id]) : [];

    private void Place(string token, int id)
    {
        if (id < 0)
            throw new TokenizerFormatException($"Token '{token}' has the negative id {id}.");
        if (tokens[id] is { } other && other != token)
            throw new TokenizerFormatException($"Tokens '{other}' and '{token}' both have the id {id}.");
        tokens[id] = token;
    }

    private void PlaceAdded(AddedToken token)
    {
        if (modelIds.TryGetValue(token.Content, out var modelId) && modelId != token.Id)
            throw new TokenizerFormatException($"Added token '{token.Content}' has the id {token.Id}, but the vocabulary gives it {modelId}.");
        Place(token.Content, token.Id);
        addedIds[token.Content] = token.Id;
        if (token.IsSpecial)
            specialIds.Add(token.Id);
    }

    private void FillByteIds()
    {
        for (var value = 0; value < 256; value++)
        {
            var symbol = ByteLevelAlphabet.ToCharacter((byte)value).ToString();
            byteIds[value] = modelIds.TryGetValue(symbol, out var id)
                ? id
                : throw new TokenizerFormatException($"The vocabulary has no token '{symbol}' for byte 0x{value:X2}; a byte-level vocabulary has all 256.");
        }
    }

    private static (byte[] Bytes, int[] Starts) JoinBytes(string?[] tokens)
    {
        var starts = new int[tokens.Length + 1];
        using var stream = new MemoryStream();
        for (var id = 0; id < tokens.Length; id++)
        {
            stream.Write(ToBytes(tokens[id] ?? ""));
            starts[id + 1] = checked((int)stream.Length);
        }

        return (stream.ToArray(), starts);
    }

    /// <summary>A string with a character outside the byte alphabet (an added token, as a rule) stands for its own UTF-8.</summary>
    private static byte[] ToBytes(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < token.Length; i++)
        {
            if (!ByteLevelAlphabet.TryToByte(token[i], out bytes[i]))
                return Encoding.UTF8.GetBytes(token);
        }

        return bytes;
    }
}
