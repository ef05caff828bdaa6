using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend.Intrinsics;

/// <summary>Asserts, unrolling, and questions about types that are answered at compile time.</summary>
internal static class LanguageIntrinsics
{
    public static StackItem? EmitUnroll(Translator translator, CallTarget call, StackItem[] arguments)
    {
        translator.MarkUnrolling();
        return arguments[0];
    }

    public static StackItem? EmitAssert(Translator translator, CallTarget call, StackItem[] arguments)
    {
        if (call.Name != "Assert")
            return StackItem.NotMine;
        var builder = translator.Builder;
        var test = builder.ToTest(arguments[0].Scalar);
        if (!test.IsConstant(1))
            builder.Append(Op.Assert, IrType.None, [test]);
        return StackItem.Nothing;
    }

    public static StackItem? EmitType(Translator translator, CallTarget call, StackItem[] arguments) => call.Name switch
    {
        "GetTypeFromHandle" => arguments[0],
        "op_Equality" or "op_Inequality" when arguments[0].Constant is Type left && arguments[1].Constant is Type right =>
            translator.Builder.Int((left == right) == (call.Name == "op_Equality") ? 1 : 0),
        _ => StackItem.NotMine,
    };

    /// <summary>Whether the host's CPU has some vector instruction: kernels take the runtime's plain code instead.</summary>
    public static StackItem? EmitUnsupported(Translator translator, CallTarget call, StackItem[] arguments) => translator.Builder.Int(0);

    public static StackItem? EmitRuntimeHelpers(Translator translator, CallTarget call, StackItem[] arguments) =>
        call.Name == "IsReferenceOrContainsReferences" ? translator.Builder.Int(0) : StackItem.NotMine;
}
