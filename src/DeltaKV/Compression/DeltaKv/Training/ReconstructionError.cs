namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>Mean squared errors of a codec on held-out rows, as a share of the rows' mean square.</summary>
/// <param name="Exact">With latents as halves.</param>
/// <param name="Quantised">With latents in four bits, a step for 32 of them.</param>
internal readonly record struct ReconstructionError(double Exact, double Quantised);
