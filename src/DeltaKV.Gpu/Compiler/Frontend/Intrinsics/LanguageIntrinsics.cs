using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend.Intrinsics;

/// <summary>Asserts, unrolling, and questions about types that are answered at compile time.</summary>
internal static class LanguageIntrinsics
{
    public static bool EmitUnroll(Translator translator, CallTarget call, StackItem[] arguments)
    {
        translator.MarkUnrolling();
        translator.Push(arguments[0]);
        return true;
    }

    public static bool EmitAssert(Translator translator, CallTarget call, StackItem[] arguments)
    {
        if (call.Name != "Assert")
            return false;
        var builder = translator.Builder;
        var test = builder.ToTest(arguments[0].Scalar);
        if (!test.IsConstant(1))
            builder.Append(Op.Assert, IrType.None, [test]);
        return true;
    }

    public static bool EmitType(Translator translator, CallTarget call, StackItem[] arguments)
    {
        switch (call.Name)
        {
            case "GetTypeFromHandle":
                translator.Push(arguments[0]);
                return true;
            case "op_Equality" or "op_Inequality" when arguments[0].Constant is Type left && arguments[1].Constant is Type right:
                translator.Push(translator.Builder.Int((left == right) == (call.Name == "op_Equality") ? 1 : 0));
                return true;
            default:
                return false;
        }
    }

    /// <summary>Whether the host's CPU has some vector instruction: kernels take the runtime's plain code instead.</summary>
    public static bool EmitUnsupported(Translator translator, CallTarget call, StackItem[] arguments)
    {
        translator.Push(translator.Builder.Int(0));
        return true;
    }

    public static bool EmitRuntimeHelpers(Translator translator, CallTarget call, StackItem[] arguments)
    {
        if (call.Name != "IsReferenceOrContainsReferences")
            return false;
        translator.Push(translator.Builder.Int(0));
        return true;
    }
}
