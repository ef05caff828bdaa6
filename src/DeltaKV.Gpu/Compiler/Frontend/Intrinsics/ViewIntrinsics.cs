using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend.Intrinsics;

/// <summary>Members of <see cref="ArrayView{T}"/>: address arithmetic on its pointer and length.</summary>
internal static class ViewIntrinsics
{
    public static StackItem? Emit(Translator translator, CallTarget call, StackItem[] arguments)
    {
        if (!call.HasThis || call.Parameters is [{ IsValueType: true, IsPrimitive: false }] || call.Name is "Equals" or "GetHashCode" or "ToString")
            return StackItem.NotMine;
        var type = call.Method.DeclaringType!;
        var element = TypeLayout.Of(type.GetGenericArguments()[0]);
        var builder = translator.Builder;
        switch (call.Name)
        {
            case "get_Item": return translator.ElementAddress(Pointer(), arguments[1].Scalar, element.Size);
            case "get_Length": return Length();
            case "get_IntLength": return builder.Convert(Op.Narrow, IrType.I32, Length());
            case "SubView":
                var length = arguments.Length == 3 ? Long(arguments[2].Scalar) : builder.Binary(Op.Sub, Length(), Long(arguments[1].Scalar));
                return new StackItem(TypeLayout.Of(type), [translator.ElementAddress(Pointer(), arguments[1].Scalar, element.Size), length]);
            case "Cast":
                var other = TypeLayout.Of(call.GenericArguments[0]);
                return new StackItem(TypeLayout.Of(call.Result), [Pointer(), CastLength(Length(), element.Size, other.Size)]);
            default: return StackItem.NotMine;
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
