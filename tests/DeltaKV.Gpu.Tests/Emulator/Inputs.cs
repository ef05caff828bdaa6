using System.Runtime.InteropServices;

namespace DeltaKV.Gpu.Tests.Emulator;

/// <summary>Edge values in every combination, then random ones. The seed is fixed, so a failure can be run again.</summary>
internal static class Inputs
{
    public const int Seed = 20261122;

    private static readonly float[] FloatEdges =
    [
        0f, -0f, 1f, -1f, 0.5f, 1.5f, 2.5f, -2.5f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, float.MinValue,
        float.Epsilon, -float.Epsilon, 1e-40f, 65504f, 65520f, 2147483648f, -2147483649f, 4294967296f, 3.3895314e38f, 448f, 6e-8f,
    ];

    private static readonly uint[] IntEdges =
    [
        0, 1, 2, 3, 7, 31, 32, 33, 63, 64, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF,
    ];

    private static readonly ulong[] LongEdges =
    [
        0, 1, 2, 31, 63, 64, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x100000000, long.MaxValue, 0x8000000000000000, ulong.MaxValue, ulong.MaxValue - 1,
    ];

    /// <summary>Arrays whose elements pair up every edge with every edge.</summary>
    public static (T[] A, T[] B, T[] C) Triples<T>()
        where T : unmanaged
    {
        var edges = Edges<T>();
        var random = new Random(Seed);
        var count = (edges.Length * edges.Length) + 512;
        T[] a = new T[count], b = new T[count], c = new T[count];
        random.NextBytes(MemoryMarshal.AsBytes(a.AsSpan()));
        random.NextBytes(MemoryMarshal.AsBytes(b.AsSpan()));
        random.NextBytes(MemoryMarshal.AsBytes(c.AsSpan()));
        for (var i = 0; i < edges.Length * edges.Length; i++)
        {
            a[i] = edges[i / edges.Length];
            b[i] = edges[i % edges.Length];
            c[i] = edges[(i * 7) % edges.Length];
        }

        for (var i = edges.Length * edges.Length; i < count; i += 2)
        {
            // Random bit patterns are mostly huge or tiny as floats, so every other one is of ordinary size.
            if (typeof(T) == typeof(float))
                (a[i], b[i], c[i]) = (Of<T>(random), Of<T>(random), Of<T>(random));
        }

        return (a, b, c);
    }

    private static T Of<T>(Random random)
    {
        var value = (float)((random.NextDouble() * 20) - 10);
        return (T)(object)value;
    }

    private static T[] Edges<T>()
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            return (T[])(object)FloatEdges;
        if (typeof(T) == typeof(double))
            return (T[])(object)FloatEdges.Select(value => (double)value).Append(double.MaxValue).Append(double.Epsilon).ToArray();
        var size = Marshal.SizeOf<T>();
        return size == 8
            ? MemoryMarshal.Cast<ulong, T>(LongEdges.AsSpan()).ToArray()
            : IntEdges.Select(value => MemoryMarshal.Cast<uint, T>([value])[0]).ToArray();
    }
}
