namespace DeltaKV.Kernels.Attention;

/// <summary>Which tokens a sequence reads and in which form: sinks <c>[0, CodedStart)</c> raw, <c>[CodedStart, CodedEnd)</c> coded, the rest raw. On the device.</summary>
/// <param name="codedStart">First coded position.</param>
/// <param name="codedEnd">Position after the last coded one.</param>
internal readonly struct ReadBounds(int codedStart, int codedEnd)
{
    /// <summary>First coded position.</summary>
    public readonly int CodedStart = codedStart;

    /// <summary>Position after the last coded one.</summary>
    public readonly int CodedEnd = codedEnd;
}
