using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend;

/// <summary>Static readonly fields are constants: their value at compile time.</summary>
internal static class StaticField
{
    public static StackItem Read(Translator translator, FieldInfo field)
    {
        if (!field.IsInitOnly)
        {
            throw translator.Refuse(
                $"The static field {field.DeclaringType!.Name}.{field.Name} can change; kernels see only const and static readonly fields. Pass its value as a parameter.");
        }

        var layout = TypeLayout.Of(field.FieldType);
        var boxed = field.GetValue(null)!;
        ref var data = ref Unsafe.As<Boxed>(boxed).FirstByte;
        var leaves = new Value[layout.Leaves.Length];
        for (var i = 0; i < leaves.Length; i++)
        {
            var (kind, offset) = layout.Leaves[i];
            if (kind == ScalarKind.Pointer)
                throw translator.Refuse($"The static field {field.Name} holds a view; pass it as a parameter.");
            var bytes = MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref data, offset), kind.Size());
            leaves[i] = translator.Builder.Const(kind.Register(), Bits(kind, bytes));
        }

        return new StackItem(layout, leaves);
    }

    private static long Bits(ScalarKind kind, ReadOnlySpan<byte> bytes) => kind switch
    {
        ScalarKind.I8 => (sbyte)bytes[0],
        ScalarKind.Bool or ScalarKind.U8 => bytes[0],
        ScalarKind.I16 => MemoryMarshal.Read<short>(bytes),
        ScalarKind.U16 => MemoryMarshal.Read<ushort>(bytes),
        ScalarKind.I32 or ScalarKind.U32 or ScalarKind.F32 => MemoryMarshal.Read<int>(bytes),
        _ => MemoryMarshal.Read<long>(bytes),
    };

    private sealed class Boxed
    {
#pragma warning disable CS0649 // Only its address is taken, of an object of another type.
        public byte FirstByte;
#pragma warning restore CS0649
    }
}
