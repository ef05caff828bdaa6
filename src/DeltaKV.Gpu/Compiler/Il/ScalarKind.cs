using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Il;

/// <summary>How one scalar lies in memory.</summary>
internal enum ScalarKind : byte
{
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
    Pointer,
}

/// <summary>Facts about <see cref="ScalarKind"/>.</summary>
internal static class ScalarKinds
{
    public static int Size(this ScalarKind kind) => kind switch
    {
        ScalarKind.Bool or ScalarKind.I8 or ScalarKind.U8 => 1,
        ScalarKind.I16 or ScalarKind.U16 => 2,
        ScalarKind.I32 or ScalarKind.U32 or ScalarKind.F32 => 4,
        _ => 8,
    };

    /// <summary>The register type that holds it; IL widens everything smaller to 32 bits.</summary>
    public static IrType Register(this ScalarKind kind) => kind switch
    {
        ScalarKind.F32 => IrType.F32,
        ScalarKind.F64 => IrType.F64,
        ScalarKind.I64 or ScalarKind.U64 => IrType.I64,
        ScalarKind.Pointer => IrType.Ptr,
        _ => IrType.I32,
    };

    public static ScalarKind? Of(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.Boolean => ScalarKind.Bool,
        TypeCode.SByte => ScalarKind.I8,
        TypeCode.Byte => ScalarKind.U8,
        TypeCode.Int16 => ScalarKind.I16,
        TypeCode.UInt16 or TypeCode.Char => ScalarKind.U16,
        TypeCode.Int32 => ScalarKind.I32,
        TypeCode.UInt32 => ScalarKind.U32,
        TypeCode.Int64 => ScalarKind.I64,
        TypeCode.UInt64 => ScalarKind.U64,
        TypeCode.Single => ScalarKind.F32,
        TypeCode.Double => ScalarKind.F64,
        _ when type == typeof(nint) => ScalarKind.I64,
        _ when type == typeof(nuint) => ScalarKind.U64,
        _ when type.IsByRef => ScalarKind.Pointer,
        _ => null,
    };
}
