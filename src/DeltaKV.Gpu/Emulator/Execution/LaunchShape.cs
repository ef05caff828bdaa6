namespace DeltaKV.Gpu.Emulator;

/// <summary>Extents of one launch.</summary>
internal readonly record struct LaunchShape(Dim3 Grid, Dim3 Block, int DynamicSharedBytes);
