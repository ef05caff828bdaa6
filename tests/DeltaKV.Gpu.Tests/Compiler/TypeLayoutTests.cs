using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Tests.Kernels;

namespace DeltaKV.Gpu.Tests.Compiler;

/// <summary>The compiler's idea of a struct is the CLR's.</summary>
public class TypeLayoutTests
{
    [StructLayout(LayoutKind.Sequential, Pack = 2)]
    public struct Packed
    {
        public byte A;
        public double B;
        public int C;
    }

    [StructLayout(LayoutKind.Sequential, Size = 40)]
    internal struct Padded
    {
        public int A;
    }

    public struct Hollow;

    public struct Around
    {
        public bool A;
        public Packed B;
        public Hollow C;
        public char D;
        public ArrayView<Packed> E;
        public Color F;
        public nuint G;
    }

    [Fact]
    public void Sizes_are_the_runtimes()
    {
        Check<Packed>();
        Check<Padded>();
        Check<Hollow>();
        Check<Around>();
        Check<Nested>();
        Check<Inline4>();
        Check<Union>();
        Check<System.Half>();
        Check<ArrayView<Around>>();
        Check<Index3D>();

        static void Check<T>()
            where T : unmanaged => Assert.Equal(Unsafe.SizeOf<T>(), TypeLayout.Of(typeof(T)).Size);
    }

    [Fact]
    public void Offsets_are_the_runtimes()
    {
        var value = default(Around);
        Assert.Equal((int)Unsafe.ByteOffset(ref Unsafe.As<Around, byte>(ref value), ref Unsafe.As<char, byte>(ref value.D)), OffsetOf(nameof(Around.D)));
        Assert.Equal((int)Unsafe.ByteOffset(ref Unsafe.As<Around, byte>(ref value), ref Unsafe.As<double, byte>(ref value.B.B)), OffsetOf(nameof(Around.B)) + 2);
        Assert.Equal((int)Unsafe.ByteOffset(ref Unsafe.As<Around, byte>(ref value), ref Unsafe.As<nuint, byte>(ref value.G)), OffsetOf(nameof(Around.G)));

        static int OffsetOf(string field) => TypeLayout.Of(typeof(Around)).OffsetOf(typeof(Around).GetField(field)!);
    }
}
