namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>A uniform quantiser's step and the weighted square error it leaves.</summary>
internal readonly record struct QuantizerFit(double Step, double Error);
