namespace DeltaKV.Tokenization;

/// <summary>
/// The GPT-2 byte alphabet: each of the 256 bytes has one printable character, so that a vocabulary of byte strings fits in JSON.
/// Printable Latin-1 stands for itself; the other 68 bytes take U+0100 and up in order.
/// </summary>
internal static class ByteLevelAlphabet
{
    private const int FirstBorrowed = 0x100;
    private const short NoByte = -1;

    private static readonly char[] Characters = BuildCharacters();
    private static readonly short[] Bytes = BuildBytes();

    internal static char ToCharacter(byte value) => Characters[value];

    internal static bool TryToByte(char character, out byte value)
    {
        var mapped = character < Bytes.Length ? Bytes[character] : NoByte;
        value = (byte)mapped;
        return mapped != NoByte;
    }

    private static bool StandsForItself(int value) => value is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);

    private static char[] BuildCharacters()
    {
        var characters = new char[256];
        var borrowed = FirstBorrowed;
        for (var value = 0; value < 256; value++)
            characters[value] = (char)(StandsForItself(value) ? value : borrowed++);
        return characters;
    }

    private static short[] BuildBytes()
    {
        var bytes = new short[Characters.Max() + 1];
        Array.Fill(bytes, NoByte);
        for (short value = 0; value < 256; value++)
            bytes[Characters[value]] = value;
        return bytes;
    }
}
