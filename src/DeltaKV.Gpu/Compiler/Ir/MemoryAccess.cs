using DeltaKV.Gpu.Compiler.Il;

namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>How a load or store moves its scalars.</summary>
/// <param name="Kinds">1, 2 or 4 scalars of equal size.</param>
/// <param name="IsVolatile">Whether C# said volatile.</param>
/// <param name="Alignment">The bytes to which the address operand is known to be aligned.</param>
internal sealed record MemoryAccess(ScalarKind[] Kinds, bool IsVolatile, int Alignment)
{
    public int Bytes => Kinds.Length * Kinds[0].Size();
}
