namespace DeltaKV.Gpu.Compiler.Frontend;

/// <summary>A boxed value that generic code is about to unbox again, as <c>(T)(object)x</c> does; it never becomes an object.</summary>
internal sealed record BoxedValue(Type Type, StackItem Item);
