using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend.Intrinsics;

/// <summary>Members of <see cref="Grid"/> and <see cref="Group"/>.</summary>
internal static class ThreadIntrinsics
{
    public static StackItem? EmitGrid(Translator translator, CallTarget call, StackItem[] arguments) => call.Name switch
    {
        "get_IdxX" => Read(translator.Builder, SpecialRegister.GridIndexX),
        "get_IdxY" => Read(translator.Builder, SpecialRegister.GridIndexY),
        "get_IdxZ" => Read(translator.Builder, SpecialRegister.GridIndexZ),
        "get_DimX" => Read(translator.Builder, SpecialRegister.GridDimX),
        "get_DimY" => Read(translator.Builder, SpecialRegister.GridDimY),
        "get_DimZ" => Read(translator.Builder, SpecialRegister.GridDimZ),
        _ => StackItem.NotMine,
    };

    public static StackItem? EmitGroup(Translator translator, CallTarget call, StackItem[] arguments) => call.Name switch
    {
        "get_IdxX" => Read(translator.Builder, SpecialRegister.ThreadX),
        "get_IdxY" => Read(translator.Builder, SpecialRegister.ThreadY),
        "get_IdxZ" => Read(translator.Builder, SpecialRegister.ThreadZ),
        "get_DimX" => Read(translator.Builder, SpecialRegister.GroupDimX),
        "get_DimY" => Read(translator.Builder, SpecialRegister.GroupDimY),
        "get_DimZ" => Read(translator.Builder, SpecialRegister.GroupDimZ),
        "Barrier" => Barrier(translator),
        "BarrierPopCount" => Reduce(translator, arguments[0], "popc"),
        "BarrierAnd" => Reduce(translator, arguments[0], "and"),
        "BarrierOr" => Reduce(translator, arguments[0], "or"),
        _ => StackItem.NotMine,
    };

    /// <summary>The value of a special register.</summary>
    public static Value Read(IrBuilder builder, SpecialRegister register) => builder.Create(Op.Special, IrType.I32, [], (long)register);

    private static StackItem Barrier(Translator translator)
    {
        translator.Builder.Append(Op.Barrier, IrType.None, []);
        return StackItem.Nothing;
    }

    private static Value Reduce(Translator translator, StackItem predicate, string operation)
    {
        var builder = translator.Builder;
        var type = operation == "popc" ? IrType.I32 : IrType.Pred;
        var result = builder.Append(Op.BarrierReduce, type, [builder.ToTest(predicate.Scalar)], data: operation);
        return type == IrType.Pred ? builder.ToInt(result) : result;
    }
}
