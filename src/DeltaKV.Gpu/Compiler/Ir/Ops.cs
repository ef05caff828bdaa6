namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>Facts about operations that passes ask for.</summary>
internal static class Ops
{
    /// <summary>Whether the value may be dropped when nobody uses it.</summary>
    public static bool IsRemovable(this Value value) => value.Op switch
    {
        Op.Store or Op.Atomic or Op.Shuffle or Op.Barrier or Op.BarrierReduce or Op.WarpBarrier or Op.Assert => false,
        Op.Load => value.Data is not MemoryAccess { IsVolatile: true },
        Op.Template => value.Data is PtxTemplate { IsPure: true },
        _ => true,
    };

    /// <summary>Whether two of them with equal operands are the same value.</summary>
    public static bool IsMergeable(this Value value) => value.Op switch
    {
        Op.Phi or Op.Load or Op.Const or Op.Place => false,
        _ => value.IsRemovable(),
    };

    /// <summary>Whether it may run where the program would not have run it.</summary>
    public static bool IsSpeculable(this Value value) => value.Op switch
    {
        Op.Load or Op.Phi or Op.Extract or Op.Place => false,
        Op.Template => value.Data is PtxTemplate { IsPure: true, IsConvergent: false, TouchesMemory: false } && value.Type != IrType.None,
        _ => value.IsRemovable(),
    };

    /// <summary>Whether it is cheap enough to run instead of a branch around it.</summary>
    public static bool IsCheap(this Value value) => value.Op switch
    {
        Op.Div or Op.DivU or Op.Rem or Op.RemU or Op.Sqrt or Op.Template => false,
        Op.FloatToInt or Op.FloatToUInt or Op.IntToFloat or Op.UIntToFloat or Op.FloatToFloat => false,
        _ => value.Type != IrType.F64 && value.IsSpeculable(),
    };

    public static bool IsCommutative(Op op) => op switch
    {
        Op.Add or Op.Mul or Op.MulHighS or Op.MulHighU or Op.MulWideS or Op.MulWideU => true,
        Op.Min or Op.Max or Op.MinU or Op.MaxU or Op.And or Op.Or or Op.Xor => true,
        _ => false,
    };
}
