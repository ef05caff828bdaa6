namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>A layer's transform before quantisation: coordinates whose squared errors add up to the error that matters.</summary>
/// <param name="OfResiduals">Whether it is for what references leave, not for the rows themselves.</param>
/// <param name="Mean">What is subtracted, <c>[width]</c>.</param>
/// <param name="Encoder">Rows map kv to coordinates, <c>[dimensions, width]</c>, in order of falling variance.</param>
/// <param name="Decoder">Rows map coordinates back, <c>[dimensions, width]</c>.</param>
/// <param name="Coordinates">Sampled coordinates, one array per dimension.</param>
/// <param name="Weights">The samples' weights, summing to 1.</param>
internal sealed record LayerTransform(
    bool OfResiduals, double[] Mean, double[][] Encoder, double[][] Decoder, double[][] Coordinates, double[] Weights);
