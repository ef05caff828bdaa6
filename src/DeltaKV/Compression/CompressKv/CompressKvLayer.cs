namespace DeltaKV.Compression.CompressKv;

/// <summary>What calibration found out about one layer.</summary>
/// <param name="Heads">Query heads whose attention chooses what is kept, best first.</param>
/// <param name="Scores">The semantic retrieval score of every query head.</param>
/// <param name="Error">What a small budget did to the layer's output, summed over steps and samples.</param>
internal sealed record CompressKvLayer(IReadOnlyList<int> Heads, IReadOnlyList<double> Scores, double Error);
