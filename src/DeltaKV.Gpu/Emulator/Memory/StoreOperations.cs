using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeltaKV.Gpu.Emulator;

/// <summary>st of one element per lane from slot B. When lanes share an address the highest one wins.</summary>
internal static unsafe class Store<TAddressing, TElement, TRegister>
    where TAddressing : struct, IAddressing
    where TElement : unmanaged, INumber<TElement>
    where TRegister : unmanaged, INumber<TRegister>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run(Warp* warp, Op* op)
    {
        var source = warp->Registers + op->B;
        if (warp->Active == uint.MaxValue)
        {
            if (TAddressing.IsStrided(warp, op, sizeof(TElement)))
            {
                CopyRow(source, TAddressing.Address(warp, op, 0));
                return op + 1;
            }

            for (var lane = 0; lane < Warp.Lanes; lane++)
                *(TElement*)TAddressing.Address(warp, op, lane) = TElement.CreateTruncating(((TRegister*)source)[lane]);
            return op + 1;
        }

        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            *(TElement*)TAddressing.Address(warp, op, lane) = TElement.CreateTruncating(((TRegister*)source)[lane]);
        }

        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyRow(byte* source, byte* destination)
    {
        if (sizeof(TElement) == sizeof(TRegister))
        {
            for (var part = 0; part < sizeof(TRegister) / 2; part++)
                LaneVectors.Load<byte>(source, part).Store(destination + (64 * part));
        }
        else if (sizeof(TElement) == 2 && sizeof(TRegister) == 4)
        {
            Vector512.Narrow(LaneVectors.Load<uint>(source, 0), LaneVectors.Load<uint>(source, 1)).Store((ushort*)destination);
        }
        else
        {
            for (var lane = 0; lane < Warp.Lanes; lane++)
                ((TElement*)destination)[lane] = TElement.CreateTruncating(((TRegister*)source)[lane]);
        }
    }
}

/// <summary>st.v2 and st.v4: element k comes from register Extra[k]; Aux elements.</summary>
internal static unsafe class StoreVector<TAddressing, TElement, TRegister>
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
            var destination = (TElement*)TAddressing.Address(warp, op, lane);
            for (var k = 0; k < count; k++)
                destination[k] = TElement.CreateTruncating(((TRegister*)(warp->Registers + op->Extra[k]))[lane]);
        }

        return op + 1;
    }
}

/// <summary>st.v4.b32: sixteen lanes at a time, transposed in registers.</summary>
internal static unsafe class StoreQuad<TAddressing>
    where TAddressing : struct, IAddressing
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run(Warp* warp, Op* op)
    {
        if (warp->Active != uint.MaxValue || !Avx512F.IsSupported)
            return StoreVector<TAddressing, uint, uint>.Run(warp, op);
        var r = warp->Registers;
        byte* w0 = r + op->Extra[0], w1 = r + op->Extra[1], w2 = r + op->Extra[2], w3 = r + op->Extra[3];
        var isRow = TAddressing.IsStrided(warp, op, 16);
        for (var part = 0; part < 2; part++)
        {
            var (a, b, c, d) = Transpose.WordsToQuads(
                LaneVectors.Load<uint>(w0, part), LaneVectors.Load<uint>(w1, part),
                LaneVectors.Load<uint>(w2, part), LaneVectors.Load<uint>(w3, part));
            var lane = 16 * part;
            if (isRow)
            {
                var destination = (uint*)TAddressing.Address(warp, op, lane);
                a.Store(destination);
                b.Store(destination + 16);
                c.Store(destination + 32);
                d.Store(destination + 48);
            }
            else
            {
                Scatter(warp, op, lane, a);
                Scatter(warp, op, lane + 4, b);
                Scatter(warp, op, lane + 8, c);
                Scatter(warp, op, lane + 12, d);
            }
        }

        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scatter(Warp* warp, Op* op, int lane, Vector512<uint> quads)
    {
        quads.GetLower().GetLower().Store((uint*)TAddressing.Address(warp, op, lane));
        quads.GetLower().GetUpper().Store((uint*)TAddressing.Address(warp, op, lane + 1));
        quads.GetUpper().GetLower().Store((uint*)TAddressing.Address(warp, op, lane + 2));
        quads.GetUpper().GetUpper().Store((uint*)TAddressing.Address(warp, op, lane + 3));
    }
}

/// <summary>st.v2.b32 to consecutive addresses; anything else goes lane by lane.</summary>
internal static unsafe class StorePair<TAddressing>
    where TAddressing : struct, IAddressing
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run(Warp* warp, Op* op)
    {
        if (warp->Active != uint.MaxValue || !Avx512F.IsSupported || !TAddressing.IsStrided(warp, op, 8))
            return StoreVector<TAddressing, uint, uint>.Run(warp, op);
        var destination = (uint*)TAddressing.Address(warp, op, 0);
        byte* even = warp->Registers + op->Extra[0], odd = warp->Registers + op->Extra[1];
        for (var part = 0; part < 2; part++, destination += 32)
        {
            var (low, high) = Transpose.WordsToPairs(LaneVectors.Load<uint>(even, part), LaneVectors.Load<uint>(odd, part));
            low.Store(destination);
            high.Store(destination + 16);
        }

        return op + 1;
    }
}
