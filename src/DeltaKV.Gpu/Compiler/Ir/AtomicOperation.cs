using DeltaKV.Gpu.Compiler.Il;

namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>An atomic read-modify-write: the PTX operation and type.</summary>
internal sealed record AtomicOperation(string Name, string PtxType, ScalarKind Kind);
