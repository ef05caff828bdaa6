namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>The type of a value: what kind of register holds it.</summary>
internal enum IrType : byte
{
    /// <summary>No value, or several (see <see cref="Op.Extract"/>).</summary>
    None,
    Pred,
    I32,
    I64,
    F32,
    F64,

    /// <summary>An address whose space is not known yet; it becomes I64 (global) or I32 (shared, local).</summary>
    Ptr,
}
