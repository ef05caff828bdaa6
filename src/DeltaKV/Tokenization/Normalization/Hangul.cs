namespace DeltaKV.Tokenization.Normalization;

/// <summary>The arithmetic of Hangul syllables (Unicode, section 3.12).</summary>
internal static class Hangul
{
    private const int SyllableBase = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TailBase = 0x11A7;
    private const int LeadCount = 19;
    private const int VowelCount = 21;
    private const int TailCount = 28;
    private const int SyllableCount = LeadCount * VowelCount * TailCount;

    /// <summary>Whether a jamo can join the syllable before it.</summary>
    internal static bool IsTrailingJamo(int scalar) =>
        IsIn(scalar, VowelBase, VowelCount) || IsIn(scalar, TailBase + 1, TailCount - 1);

    internal static bool TryDecompose(int scalar, out (int First, int? Second) parts)
    {
        var index = scalar - SyllableBase;
        var tail = index % TailCount;
        parts = tail != 0
            ? (scalar - tail, TailBase + tail)
            : (LeadBase + (index / (VowelCount * TailCount)), VowelBase + (index / TailCount % VowelCount));
        return IsIn(scalar, SyllableBase, SyllableCount);
    }

    internal static bool TryCompose(int first, int second, out int composed)
    {
        if (IsIn(first, LeadBase, LeadCount) && IsIn(second, VowelBase, VowelCount))
        {
            composed = SyllableBase + ((((first - LeadBase) * VowelCount) + second - VowelBase) * TailCount);
            return true;
        }

        composed = first + second - TailBase;
        return IsIn(first, SyllableBase, SyllableCount) && (first - SyllableBase) % TailCount == 0 && IsIn(second, TailBase + 1, TailCount - 1);
    }

    private static bool IsIn(int scalar, int start, int count) => (uint)(scalar - start) < (uint)count;
}
