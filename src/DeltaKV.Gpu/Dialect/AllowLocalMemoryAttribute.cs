namespace DeltaKV.Gpu;

/// <summary>
/// Lets <see cref="LocalMemory.Allocate{T}(int)"/> arrays of this method live in local (off-chip) memory. Without it an array that
/// cannot become registers, because some index is not a constant after unrolling, is a compile error.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class AllowLocalMemoryAttribute : Attribute;
