using DeltaKV.Gpu.Compiler.Il;

namespace DeltaKV.Gpu.Compiler.Frontend;

/// <summary>A local, argument or register array: one SSA variable per scalar, numbered from <paramref name="FirstId"/>.</summary>
/// <param name="FirstId">The number of the first scalar's variable.</param>
/// <param name="Layout">Its scalars.</param>
/// <param name="Array">For a <c>LocalMemory</c> array, which one it is.</param>
internal sealed record Variable(int FirstId, TypeLayout Layout, ArraySite? Array = null);
