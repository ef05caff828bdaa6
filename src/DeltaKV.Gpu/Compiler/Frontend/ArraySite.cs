namespace DeltaKV.Gpu.Compiler.Frontend;

/// <summary>A call of <c>LocalMemory.Allocate</c>, named by its path through the inlined calls so that a second attempt finds it again.</summary>
internal sealed record ArraySite(string Path, int Length, bool MayBeMemory);
