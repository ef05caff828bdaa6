using System.Reflection;
using System.Reflection.Emit;

namespace DeltaKV.Gpu.Runtime;

/// <summary>Where a kernel's arguments hold a view: the parameter, the byte in it, and the bytes of an element.</summary>
internal readonly record struct ViewField(int Parameter, int Offset, int ElementSize)
{
    /// <summary>The views of a parameter, those in nested structs included.</summary>
    internal static IEnumerable<ViewField> Of(int parameter, Type type, int offset = 0)
    {
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ArrayView<>))
            return [new ViewField(parameter, offset, ElementSizeOf(type))];
        if (type.IsPrimitive || type.IsEnum || type.IsPointer || !type.IsValueType)
            return [];
        return type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .SelectMany(field => Of(parameter, field.FieldType, offset + OffsetOf(field)));
    }

    private static int ElementSizeOf(Type view) => (int)view.GetProperty(nameof(ArrayView<byte>.ElementSize))!.GetValue(null)!;

    /// <summary>The managed offset, which <c>Marshal.OffsetOf</c> does not give (it means the marshalled layout).</summary>
    private static unsafe int OffsetOf(FieldInfo field)
    {
        var method = new DynamicMethod("OffsetOf", typeof(long), [typeof(long)], typeof(ViewField), skipVisibility: true);
        var il = method.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Conv_I);
        il.Emit(OpCodes.Ldflda, field);
        il.Emit(OpCodes.Conv_I8);
        il.Emit(OpCodes.Ret);
        long readable = 0;
        var address = (long)&readable;
        return (int)(method.CreateDelegate<Func<long, long>>()(address) - address);
    }
}
