using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeltaKV.Gpu.Emulator;

/// <summary>ld of one element per lane: consecutive addresses are copied as vectors, one address for all is broadcast.</summary>
internal static unsafe class Load<TAddressing, TElement, TRegister>
    where TAddressing : struct, IAddressing
    where TElement : unmanaged, INumber<TElement>
    where TRegister : unmanaged, INumber<TRegister>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run(Warp* warp, Op* op)
    {
        var destination = warp->Registers + op->Dst;
        if (warp->Active == uint.MaxValue)
        {
            if (TAddressing.IsStrided(warp, op, sizeof(TElement)))
            {
                CopyRow(TAddressing.Address(warp, op, 0), destination);
                return op + 1;
            }

            if (TAddressing.IsStrided(warp, op, 0))
            {
                var value = Vector512.Create(TRegister.CreateTruncating(*(TElement*)TAddressing.Address(warp, op, 0)));
                for (var part = 0; part < sizeof(TRegister) / 2; part++)
                    LaneVectors.Store(destination, part, value);
                return op + 1;
            }

            for (var lane = 0; lane < Warp.Lanes; lane++)
                ((TRegister*)destination)[lane] = TRegister.CreateTruncating(*(TElement*)TAddressing.Address(warp, op, lane));
            return op + 1;
        }

        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            ((TRegister*)destination)[lane] = TRegister.CreateTruncating(*(TElement*)TAddressing.Address(warp, op, lane));
        }

        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyRow(byte* source, byte* destination)
    {
        if (sizeof(TElement) == sizeof(TRegister))
        {
            for (var part = 0; part < sizeof(TRegister) / 2; part++)
                LaneVectors.Store(destination, part, Vector512.Load(source + (64 * part)));
        }
        else if (sizeof(TRegister) == 4 && typeof(TElement) == typeof(ushort))
        {
            for (var part = 0; part < 2; part++)
                LaneVectors.Store(destination, part, Vector512.WidenLower(Vector256.Load((ushort*)source + (16 * part)).ToVector512Unsafe()));
        }
        else if (sizeof(TRegister) == 4 && typeof(TElement) == typeof(short))
        {
            for (var part = 0; part < 2; part++)
                LaneVectors.Store(destination, part, Vector512.WidenLower(Vector256.Load((short*)source + (16 * part)).ToVector512Unsafe()));
        }
        else
        {
            for (var lane = 0; lane < Warp.Lanes; lane++)
                ((TRegister*)destination)[lane] = TRegister.CreateTruncating(((TElement*)source)[lane]);
        }
    }
}

/// <summary>ld.v2 and ld.v4: element k of every lane goes to register Extra[k]; Aux elements.</summary>
internal static unsafe class LoadVector<TAddressing, TElement, TRegister>
    where TAddressing : struct, IAddressing
    where TElement : unmanaged, INumber<TElement>
    where TRegister : unmanaged, INumber<TRegister>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run(Warp* warp, Op* op)
    {
        var count = op->Aux;
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            var source = (TElement*)TAddressing.Address(warp, op, lane);
            for (var k = 0; k < count; k++)
                ((TRegister*)(warp->Registers + op->Extra[k]))[lane] = TRegister.CreateTruncating(source[k]);
        }

        return op + 1;
    }
}

/// <summary>ld.v4.b32, the 16-byte access kernels are made of: sixteen lanes at a time, transposed in registers.</summary>
internal static unsafe class LoadQuad<TAddressing>
    where TAddressing : struct, IAddressing
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run(Warp* warp, Op* op)
    {
        if (warp->Active != uint.MaxValue || !Avx512F.IsSupported)
            return LoadVector<TAddressing, uint, uint>.Run(warp, op);
        var r = warp->Registers;
        byte* d0 = r + op->Extra[0], d1 = r + op->Extra[1], d2 = r + op->Extra[2], d3 = r + op->Extra[3];
        if (TAddressing.IsStrided(warp, op, 16))
        {
            var source = (uint*)TAddressing.Address(warp, op, 0);
            for (var part = 0; part < 2; part++, source += 64)
            {
                var quads = Transpose.QuadsToWords(
                    Vector512.Load(source), Vector512.Load(source + 16), Vector512.Load(source + 32), Vector512.Load(source + 48));
                LaneVectors.Store(d0, part, quads.W0);
                LaneVectors.Store(d1, part, quads.W1);
                LaneVectors.Store(d2, part, quads.W2);
                LaneVectors.Store(d3, part, quads.W3);
            }

            return op + 1;
        }

        if (TAddressing.IsStrided(warp, op, 0))
        {
            var source = (uint*)TAddressing.Address(warp, op, 0);
            Vector512<uint> v0 = Vector512.Create(source[0]), v1 = Vector512.Create(source[1]);
            Vector512<uint> v2 = Vector512.Create(source[2]), v3 = Vector512.Create(source[3]);
            for (var part = 0; part < 2; part++)
            {
                LaneVectors.Store(d0, part, v0);
                LaneVectors.Store(d1, part, v1);
                LaneVectors.Store(d2, part, v2);
                LaneVectors.Store(d3, part, v3);
            }

            return op + 1;
        }

        if (op->B != 0)
        {
            // The instruction asks for the surroundings of what it reads; neighbours in fours usually share a line.
            for (var lane = 0; lane < Warp.Lanes; lane += 4)
                HostPrefetch.Line(TAddressing.Address(warp, op, lane) + op->B);
        }

        for (var part = 0; part < 2; part++)
        {
            var quads = Transpose.QuadsToWords(
                Collect(warp, op, 16 * part), Collect(warp, op, (16 * part) + 4),
                Collect(warp, op, (16 * part) + 8), Collect(warp, op, (16 * part) + 12));
            LaneVectors.Store(d0, part, quads.W0);
            LaneVectors.Store(d1, part, quads.W1);
            LaneVectors.Store(d2, part, quads.W2);
            LaneVectors.Store(d3, part, quads.W3);
        }

        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Collect(Warp* warp, Op* op, int lane) => Vector512.Create(
        Vector256.Create(Quad(warp, op, lane), Quad(warp, op, lane + 1)),
        Vector256.Create(Quad(warp, op, lane + 2), Quad(warp, op, lane + 3)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Quad(Warp* warp, Op* op, int lane) => Vector128.Load((uint*)TAddressing.Address(warp, op, lane));
}

/// <summary>ld.v2.b32 from consecutive addresses; anything else goes lane by lane.</summary>
internal static unsafe class LoadPair<TAddressing>
    where TAddressing : struct, IAddressing
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run(Warp* warp, Op* op)
    {
        if (warp->Active != uint.MaxValue || !Avx512F.IsSupported || !TAddressing.IsStrided(warp, op, 8))
            return LoadVector<TAddressing, uint, uint>.Run(warp, op);
        var source = (uint*)TAddressing.Address(warp, op, 0);
        byte* even = warp->Registers + op->Extra[0], odd = warp->Registers + op->Extra[1];
        for (var part = 0; part < 2; part++, source += 32)
        {
            Vector512<uint> low = Vector512.Load(source), high = Vector512.Load(source + 16);
            LaneVectors.Store(even, part, Avx512F.PermuteVar16x32x2(low, Transpose.Evens(), high));
            LaneVectors.Store(odd, part, Avx512F.PermuteVar16x32x2(low, Transpose.Odds(), high));
        }

        return op + 1;
    }
}
