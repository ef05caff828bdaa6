using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DeltaKV.Gpu.Tests.Kernels;

public static class StructFunctions
{
    private static readonly Pair Constant = new(3, 4.5f);

    public interface IShape
    {
        static abstract int Size { get; }

        static abstract int Apply(int x);

        static virtual int Twice(int x) => x * 2;

        int Scale(int x);
    }

    public static int Fields(int a, int b)
    {
        var pair = new Pair(a, b);
        pair.A += 3;
        var copy = pair;
        copy.A *= 2;
        return pair.A + copy.A + (int)copy.B;
    }

    public static Pair Swap(Pair a, Pair b) => a.A > b.A ? b : a;

    public static Nested Inner(Nested a, int b)
    {
        a.Left.A = b;
        a.Right = new Pair(a.Right.A + 1, a.Left.B);
        a.Tag++;
        return a;
    }

    public static Nested Loop(Nested a, int b)
    {
        for (var i = 0; i < (b & 7); i++)
        {
            if ((i & 1) == 0)
                (a.Left, a.Right) = (a.Right, a.Left);
            a.Left.A += i;
            a.Tag ^= (byte)i;
        }

        return a;
    }

    public static int ByRef(int a, int b)
    {
        Bump(ref a);
        Split(a, out var high, out var low);
        ref var larger = ref high;
        larger += b;
        return Sum(in high, in low);
    }

    public static int Methods(int a, int b)
    {
        var counter = new Counter { Value = a };
        counter.Add(b);
        for (var i = 0; i < (b & 3); i++)
            counter.Add(i);
        return counter.Doubled() + counter.Value;
    }

    public static int StaticAbstract(int a) => Generic<Small>(a, default) + Generic<Large>(a, new Large { Factor = 3 });

    public static int DefaultOf(int a) => default(Pair).A + a;

    public static float ReadonlyStruct(float a) => (Constant.A * a) + Constant.B;

    public static uint Union(float a)
    {
        var union = new Union { Number = float.IsNaN(a) ? 1f : a };
        return union.Bits;
    }

    public static uint Reinterpret(float a)
    {
        a = float.IsNaN(a) ? 1f : a;
        return Unsafe.As<float, uint>(ref a) ^ Unsafe.BitCast<float, uint>(a + 1);
    }

    public static int Tuple(int a, int b)
    {
        var (x, y) = Order(a, b);
        return (x * 2) - y;
    }

    public static int NullableLike(int a)
    {
        int? value = a > 5 ? a : null;
        return value.HasValue ? value.GetValueOrDefault() : -1;
    }

    public static Inline4 InlineArray(Inline4 a, int b)
    {
        a[1] += b;
        a[3] ^= a[0] + a[1];
        return a;
    }

    public static long SizeOf(int a) => a + Unsafe.SizeOf<Nested>() + Unsafe.SizeOf<Pair>() + (typeof(Small) == typeof(Large) ? 1 : 2);

    public static Color Enum(Color a) => a == Color.Red ? Color.Green : a | Color.Blue;

    public static T Maximum<T>(T a, T b)
        where T : System.Numerics.INumber<T> => a > b ? a + T.One : T.Max(a, b) - T.One;

    public static int GenericInt(int a, int b) => Maximum(a, b);

    public static float GenericSingle(float a, float b) => Maximum(float.IsNaN(a) ? 1 : a, float.IsNaN(b) ? 2 : b);

    public static int ConditionalRef(int a, int b)
    {
        var pair = new Counter { Value = a };
        var other = new Counter { Value = b };
        if (a > b)
            pair.Add(1);
        else
            other.Add(2);
        return pair.Value * other.Value;
    }

    private static int Generic<TShape>(int x, TShape shape)
        where TShape : struct, IShape => (TShape.Size * TShape.Apply(x)) + TShape.Twice(x) + shape.Scale(x);

    private static void Bump(ref int value) => value += 5;

    private static void Split(int value, out int high, out int low)
    {
        high = value >> 16;
        low = value & 0xffff;
    }

    private static int Sum(in int a, in int b) => a + b;

    private static (int Low, int High) Order(int a, int b) => a < b ? (a, b) : (b, a);
}

public record struct Pair(int A, float B)
{
    public int A = A;
    public float B = B;
}

public record struct Nested
{
    public Pair Left;
    public byte Tag;
    public Pair Right;
    public short Extra;
}

public struct Counter
{
    public int Value;

    public void Add(int amount)
    {
        if (amount > 100)
            return;
        Value += amount;
    }

    public readonly int Doubled() => Value * 2;
}

public struct Small : StructFunctions.IShape
{
    public static int Size => 3;

    public static int Apply(int x) => x + 1;

    public readonly int Scale(int x) => x;
}

public struct Large : StructFunctions.IShape
{
    public int Factor;

    public static int Size => 7;

    public static int Apply(int x) => x - 1;

    public static int Twice(int x) => x + x + 1;

    public readonly int Scale(int x) => x * Factor;
}

[StructLayout(LayoutKind.Explicit)]
public struct Union
{
    [FieldOffset(0)]
    public float Number;

    [FieldOffset(0)]
    public uint Bits;
}

[InlineArray(4)]
public struct Inline4
{
    public int First;
}

[Flags]
public enum Color
{
    None,
    Red,
    Green,
    Blue = 4,
}
