using System.Runtime.InteropServices;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Whole arrays to and from a stream, to the bit.</summary>
internal static class BinaryValues
{
    /// <summary>Writes the values, without their count.</summary>
    public static void WriteAll<T>(this BinaryWriter writer, ReadOnlySpan<T> values)
        where T : unmanaged => writer.Write(MemoryMarshal.AsBytes(values));

    /// <summary>Fills an array of the size that was written.</summary>
    /// <exception cref="EndOfStreamException">There is less.</exception>
    public static void ReadAll<T>(this BinaryReader reader, Span<T> values)
        where T : unmanaged => reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(values));
}
