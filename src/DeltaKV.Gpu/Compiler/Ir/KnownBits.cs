using System.Numerics;
using DeltaKV.Gpu.Compiler.Il;

namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>How many low bits of an integer can be set, as far as a short look tells.</summary>
internal static class KnownBits
{
    private const int DeepestLook = 6;

    /// <summary>The value is below 2 to this power, read as unsigned.</summary>
    public static int Unsigned(Value value, int depth = 0)
    {
        var width = value.Type == IrType.I64 ? 64 : 32;
        if (value.IsConst)
            return value.Type == IrType.I64 ? 64 - BitOperations.LeadingZeroCount((ulong)value.Imm) : 32 - BitOperations.LeadingZeroCount((uint)value.Imm);
        if (depth == DeepestLook || value.Type is not (IrType.I32 or IrType.I64))
            return width;
        return Math.Min(width, value.Op switch
        {
            Op.ZeroExtend8 => 8,
            Op.ZeroExtend16 => 16,
            Op.ZeroExtend => Of(0),
            Op.SignExtend or Op.Narrow => Of(0) < 32 ? Of(0) : width,
            Op.PopCount or Op.LeadingZeros => 7,
            Op.Special => ((SpecialRegister)value.Imm).Bits(),
            Op.Param => OfKind((ScalarKind)value.Scale, width),
            Op.Load when value.Data is MemoryAccess { Kinds: [var kind] } => OfKind(kind, width),
            Op.And => Math.Min(Of(0), Of(1)),
            Op.Or or Op.Xor => Math.Max(Of(0), Of(1)),
            Op.Add => Math.Max(Of(0), Of(1)) + 1,
            Op.Mul or Op.MulWideU => Of(0) + Of(1),
            Op.Shl when value.Args[1].IsConst => Of(0) + (int)Math.Min((ulong)value.Args[1].Imm, 64),
            Op.ShrU when value.Args[1].IsConst => Math.Max(0, Of(0) - (int)Math.Min((ulong)value.Args[1].Imm, 64)),
            Op.Shr when value.Args[1].IsConst && Of(0) < width => Math.Max(0, Of(0) - (int)Math.Min((ulong)value.Args[1].Imm, 64)),
            Op.DivU or Op.MinU or Op.ShrU => Of(0),
            Op.Div when Of(1) < width => Of(0) < width ? Of(0) : width,
            Op.RemU or Op.Rem when Of(0) < width => Math.Min(Of(0), Of(1)),
            Op.Min when Of(0) < width && Of(1) < width => Math.Min(Of(0), Of(1)),
            Op.Select => Math.Max(Of(1), Of(2)),
            _ => width,
        });

        int Of(int argument) => Unsigned(value.Args[argument], depth + 1);
    }

    private static int OfKind(ScalarKind kind, int width) => kind switch
    {
        ScalarKind.Bool => 1,
        ScalarKind.U8 => 8,
        ScalarKind.U16 => 16,
        _ => width,
    };

    public static bool IsNonNegative(Value value) => Unsigned(value) < (value.Type == IrType.I64 ? 64 : 32);
}
