using DeltaKV.Gpu.Compiler.Frontend;

namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>Where in the C# source a value comes from: an IL offset in an inlined method.</summary>
internal readonly record struct Location(Frame? Frame, int Offset);
