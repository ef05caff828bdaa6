using System.Reflection;

namespace DeltaKV.Gpu.Tests.Compiler;

/// <summary>Argument arrays for a function: every combination of edge values of its first two parameters, then random ones.</summary>
internal static class EdgeValues
{
    public const int Seed = 20261122;
    private const int RandomCount = 512;

    private static readonly float[] Floats =
    [
        0f, -0f, 1f, -1f, 0.5f, -0.5f, 1.5f, 2.5f, -2.5f, 3f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, float.MinValue, float.Epsilon,
        1e-40f, 127.5f, 128f, 255.5f, 256f, 32768f, 65536f, 2147483648f, -2147483648f, -2147483904f, 4294967296f, 9.223372e18f, 1.8446744e19f, 1e30f, 16777217f,
    ];

    private static readonly long[] Integers =
    [
        0, 1, 2, 3, 5, 7, 8, 12, 31, 32, 33, 63, 64, 100, 127, 128, 255, 256, 32767, 32768, 65535, 65536, int.MaxValue, int.MinValue, uint.MaxValue, 1L << 32,
        long.MaxValue, long.MinValue, -1, -2, -3, -7, -32, -100, -129, -65537,
    ];

    public static Array[] For(MethodInfo function)
    {
        var types = Array.ConvertAll(function.GetParameters(), static parameter => parameter.ParameterType);
        var edges = Array.ConvertAll(types, Edges);
        var first = edges[0].Length;
        var second = edges.Length > 1 ? edges[1].Length : 1;
        var random = new Random(Seed);
        var arrays = Array.ConvertAll(types, type => Array.CreateInstance(type, (first * second) + RandomCount));
        for (var i = 0; i < arrays[0].Length; i++)
        {
            for (var j = 0; j < types.Length; j++)
            {
                var edge = j == 0 ? i / second : j == 1 ? i % second : i * 7 % edges[j].Length;
                arrays[j].SetValue(i < first * second ? edges[j].GetValue(edge) : RandomValue(types[j], random), i);
            }
        }

        return arrays;
    }

    private static Array Edges(Type type)
    {
        if (type == typeof(float))
            return Floats;
        if (type == typeof(double))
            return Floats.Select(static value => (double)value).Append(0.1).Append(1e300).Append(double.Epsilon).Append(9007199254740993.0).ToArray();
        var random = new Random(Seed);
        object[] values = type == typeof(bool) ? [false, true]
            : type.IsPrimitive ? [.. Integers.Select(value => Convert(type, value)).Distinct()]
            : [.. Enumerable.Range(0, 16).Select(_ => RandomValue(type, random))];
        var array = Array.CreateInstance(type, values.Length);
        Array.Copy(values, array, values.Length);
        return array;
    }

    private static object RandomValue(Type type, Random random)
    {
        var small = random.Next(4) != 0;
        if (type == typeof(float))
            return small ? (random.NextSingle() - 0.5f) * 64 : BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue));
        if (type == typeof(double))
            return small ? (random.NextDouble() - 0.5) * 64 : BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue));
        if (type == typeof(bool))
            return random.Next(2) == 0;
        if (type.IsPrimitive)
            return Convert(type, small ? random.Next(-40, 300) : random.NextInt64(long.MinValue, long.MaxValue));
        if (type.IsEnum)
            return Enum.ToObject(type, random.Next(8));
        var value = Activator.CreateInstance(type)!;
        foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            field.SetValue(value, RandomValue(field.FieldType, random));
        return value;
    }

    private static object Convert(Type type, long value) => Type.GetTypeCode(type) switch
    {
        TypeCode.SByte => (sbyte)value,
        TypeCode.Byte => (byte)value,
        TypeCode.Int16 => (short)value,
        TypeCode.UInt16 => (ushort)value,
        TypeCode.Char => (char)value,
        TypeCode.Int32 => (int)value,
        TypeCode.UInt32 => (uint)value,
        TypeCode.Int64 => value,
        _ => (ulong)value,
    };
}
