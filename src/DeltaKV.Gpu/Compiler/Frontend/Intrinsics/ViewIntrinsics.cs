using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend.Intrinsics;

/// <summary>Members of <see cref="ArrayView{T}"/>: address arithmetic on its pointer and length.</summary>
internal static class ViewIntrinsics
{
    public static bool Emit(Translator translator, CallTarget call, StackItem[] arguments)
    {
        if (!call.HasThis || call.Parameters is [{ IsValueType: true, IsPrimitive: false }] || call.Name is "Equals" or "GetHashCode" or "ToString")
            return false;
        var type = call.Method.DeclaringType!;
        var element = TypeLayout.Of(type.GetGenericArguments()[0]);
        var builder = translator.Builder;
        switch (call.Name)
        {
            case "get_Item":
                translator.Push(translator.ElementAddress(Pointer(), arguments[1].Scalar, element.Size));
                return true;
            case "get_Length":
                translator.Push(Length());
                return true;
            case "get_IntLength":
                translator.Push(builder.Convert(Op.Narrow, IrType.I32, Length()));
                return true;
            case "SubView":
                var length = arguments.Length == 3 ? Long(arguments[2].Scalar) : builder.Binary(Op.Sub, Length(), Long(arguments[1].Scalar));
                var start = translator.ElementAddress(Pointer(), arguments[1].Scalar, element.Size);
                translator.Push(new StackItem(TypeLayout.Of(type), [start, length]));
                return true;
            case "Cast":
                var other = TypeLayout.Of(call.GenericArguments[0]);
                translator.Push(new StackItem(TypeLayout.Of(call.Result), [Pointer(), CastLength(Length(), element.Size, other.Size)]));
                return true;
            default:
                return false;
        }

        Value Pointer() => translator.Load(arguments[0].Scalar, TypeLayout.Of(type)).Leaves()[0];

        Value Length() => translator.Load(arguments[0].Scalar, TypeLayout.Of(type)).Leaves()[1];

        Value Long(Value value) => value.Type == IrType.I32 ? builder.Convert(Op.SignExtend, IrType.I64, value) : value;

        Value CastLength(Value value, int size, int otherSize)
        {
            if (size % otherSize == 0)
                return builder.Binary(Op.Mul, value, builder.Const(IrType.I64, size / otherSize));
            var bytes = builder.Binary(Op.Mul, value, builder.Const(IrType.I64, otherSize % size == 0 ? 1 : size));
            return builder.Binary(Op.DivU, bytes, builder.Const(IrType.I64, otherSize % size == 0 ? otherSize / size : otherSize));
        }
    }
}
