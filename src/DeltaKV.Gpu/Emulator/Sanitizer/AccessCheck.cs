using System.Numerics;

namespace DeltaKV.Gpu.Emulator;

[Flags]
internal enum AccessKind
{
    Read = 1,
    Write = 2,
    Atomic = 4,

    /// <summary>The bytes of each lane are in register Extra[0] instead of Dst.</summary>
    VariableSize = 8,

    /// <summary>What is written arrives when it is waited for.</summary>
    Asynchronous = 16,
}

/// <summary>
/// Precedes a memory operation in sanitized programs. Slot A plus Imm is the address, Dst the bytes per lane, C the <see cref="AccessKind"/>,
/// Aux the number of lanes that access memory. When B is not 0 it is the size of the elements written from the registers in Extra.
/// </summary>
internal static unsafe class AccessCheck<TAddressing>
    where TAddressing : struct, IAddressing
{
    public static Op* Run(Warp* warp, Op* op)
    {
        var worker = Worker.From(warp);
        var kind = (AccessKind)op->C;
        var taking = warp->Active & (uint.MaxValue >> (Warp.Lanes - op->Aux));
        for (var lanes = taking; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            var bytes = kind.HasFlag(AccessKind.VariableSize) ? ((int*)(warp->Registers + op->Extra[0]))[lane] : op->Dst;
            if (bytes > 0)
                Check(worker.Sanitizer!, warp, op, lane, bytes, kind);
        }

        worker.Sanitizer!.Remember(warp, taking, op);
        return op + 1;
    }

    private static void Check(BlockSanitizer sanitizer, Warp* warp, Op* op, int lane, int bytes, AccessKind kind)
    {
        var address = TAddressing.Address(warp, op, lane);
        if (typeof(TAddressing) == typeof(LocalAddressing))
        {
            sanitizer.CheckLocal(warp, op, lane, (uint)(address - warp->Local - ((long)lane * warp->LocalBytes)), bytes);
        }
        else if (typeof(TAddressing) == typeof(SharedAddressing) || sanitizer.IsShared(warp, address))
        {
            var offset = address - warp->Shared;
            sanitizer.CheckShared(warp, op, lane, offset, bytes);
            if ((kind & (AccessKind.Read | AccessKind.Atomic)) != 0)
                sanitizer.ReadShared(warp, op, lane, (int)offset, bytes, kind.HasFlag(AccessKind.Atomic));
            if ((kind & (AccessKind.Write | AccessKind.Atomic)) != 0)
                Write(sanitizer, warp, op, lane, (int)offset, bytes, kind);
        }
        else if (!BlockSanitizer.IsLocal(warp, address))
        {
            sanitizer.CheckGlobal(warp, op, lane, (nuint)address, bytes);
        }
    }

    private static void Write(BlockSanitizer sanitizer, Warp* warp, Op* op, int lane, int offset, int bytes, AccessKind kind)
    {
        for (var i = 0; i < bytes; i++)
        {
            var value = BlockSanitizer.UnknownValue;
            if (op->B != 0)
            {
                var laneSize = op->B == 8 ? 8 : 4;
                value = warp->Registers[op->Extra[i / op->B] + (laneSize * lane) + (i % op->B)];
            }

            sanitizer.WriteShared(warp, op, lane, offset + i, value, kind.HasFlag(AccessKind.Atomic), kind.HasFlag(AccessKind.Asynchronous));
        }
    }
}
