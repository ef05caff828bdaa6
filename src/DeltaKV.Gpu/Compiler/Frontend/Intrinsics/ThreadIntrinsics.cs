using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend.Intrinsics;

/// <summary>Members of <see cref="Grid"/> and <see cref="Group"/>.</summary>
internal static class ThreadIntrinsics
{
    public static bool EmitGrid(Translator translator, CallTarget call, StackItem[] arguments) => call.Name switch
    {
        "get_IdxX" => Special(translator, SpecialRegister.GridIndexX),
        "get_IdxY" => Special(translator, SpecialRegister.GridIndexY),
        "get_IdxZ" => Special(translator, SpecialRegister.GridIndexZ),
        "get_DimX" => Special(translator, SpecialRegister.GridDimX),
        "get_DimY" => Special(translator, SpecialRegister.GridDimY),
        "get_DimZ" => Special(translator, SpecialRegister.GridDimZ),
        _ => false,
    };

    public static bool EmitGroup(Translator translator, CallTarget call, StackItem[] arguments) => call.Name switch
    {
        "get_IdxX" => Special(translator, SpecialRegister.ThreadX),
        "get_IdxY" => Special(translator, SpecialRegister.ThreadY),
        "get_IdxZ" => Special(translator, SpecialRegister.ThreadZ),
        "get_DimX" => Special(translator, SpecialRegister.GroupDimX),
        "get_DimY" => Special(translator, SpecialRegister.GroupDimY),
        "get_DimZ" => Special(translator, SpecialRegister.GroupDimZ),
        "Barrier" => Barrier(translator),
        "BarrierPopCount" => Reduce(translator, arguments[0], "popc"),
        "BarrierAnd" => Reduce(translator, arguments[0], "and"),
        "BarrierOr" => Reduce(translator, arguments[0], "or"),
        _ => false,
    };

    /// <summary>The value of a special register.</summary>
    public static Value Read(IrBuilder builder, SpecialRegister register) => builder.Create(Op.Special, IrType.I32, [], (long)register);

    private static bool Special(Translator translator, SpecialRegister register)
    {
        translator.Push(Read(translator.Builder, register));
        return true;
    }

    private static bool Barrier(Translator translator)
    {
        translator.Builder.Append(Op.Barrier, IrType.None, []);
        return true;
    }

    private static bool Reduce(Translator translator, StackItem predicate, string operation)
    {
        var builder = translator.Builder;
        var type = operation == "popc" ? IrType.I32 : IrType.Pred;
        var result = builder.Append(Op.BarrierReduce, type, [builder.ToTest(predicate.Scalar)], data: operation);
        translator.Push(type == IrType.Pred ? builder.ToInt(result) : result);
        return true;
    }
}
