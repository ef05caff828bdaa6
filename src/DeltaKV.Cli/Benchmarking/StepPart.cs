namespace DeltaKV.Cli.Benchmarking;

/// <summary>A part of a decode step: how much longer the step takes with these layers' attention than without it.</summary>
/// <param name="Name">Which layers' attention, or everything else.</param>
/// <param name="Layers">How many layers.</param>
/// <param name="Ms">Its time.</param>
/// <param name="Share">That over the whole step.</param>
internal sealed record StepPart(string Name, int Layers, double Ms, double Share);
