namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>A layer's trained codec and how well it reconstructs rows of documents that it was not trained on.</summary>
/// <param name="Parameters">As <see cref="NetworkShape"/> lays them out, for rows in units of <paramref name="Scale"/>.</param>
/// <param name="Scale">That unit.</param>
/// <param name="Residual">Mean square of what is coded, rows less their references, as a share of the rows' own: the error of storing nothing.</param>
/// <param name="Linear">The best linear codec of as many latents.</param>
/// <param name="Trained">The trained one.</param>
/// <param name="Losses">Mean squared error of every step's batch.</param>
internal sealed record TrainedLayer(
    float[] Parameters, float Scale, double Residual, ReconstructionError Linear, ReconstructionError Trained, float[] Losses);
