using System.Reflection;
using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu.Compiler.Library;

/// <summary>Atomics that older targets have no instruction for, as loops of compare-and-swap.</summary>
internal static class AtomicLibrary
{
    public static MethodInfo AddPacked { get; } = typeof(AtomicLibrary).GetMethod(nameof(AddBFloat16x2), BindingFlags.Static | BindingFlags.NonPublic)!;

    private static BFloat16x2 AddBFloat16x2(ref BFloat16x2 target, BFloat16x2 value)
    {
        ref var bits = ref Unsafe.As<BFloat16x2, uint>(ref target);
        var current = bits;
        while (true)
        {
            var old = new BFloat16x2(current);
            var sum = BFloat16x2.FromSingles(old.Low + value.Low, old.High + value.High);
            var seen = Atomic.CompareExchange(ref bits, current, sum.Bits);
            if (seen == current)
                return old;
            current = seen;
        }
    }
}
