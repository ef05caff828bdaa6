using DeltaKV.Compression.DeltaKv;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Reference;

/// <summary>A model without weights for tests of calibration: needle-16m's tokenizer, three small layers whose kv are random mixtures that follow from the token.</summary>
internal sealed class RandomCalibrationModel : ICalibrationModel
{
    private const int Latents = 24;

    private readonly float[][] _mixing = [.. Enumerable.Range(0, 3).Select(layer => Normal(new SeededRandom(90, layer), Latents * 128))];

    /// <summary>Documents read.</summary>
    public int Documents { get; set; }

    public ModelFingerprint Fingerprint { get; } = new("Llama", 3, 1, 64, "0123456789abcdef");

    public IEvaluationTokenizer Tokenizer { get; } = ModelTokenizer.Load(TestModels.Needle);

    public AttentionGeometry Geometry(int layer) => new(
        2, 1, 64, 32, [.. Enumerable.Range(0, 32).Select(i => MathF.Pow(0.8f, i))], Normal(new SeededRandom(91, layer), 32 * 2 * 64));

    public void Read(ReadOnlySpan<int> tokens, ReadOnlySpan<int> queryPositions, CalibrationVisitor visit)
    {
        Documents++;
        for (var layer = 0; layer < 3; layer++)
        {
            var rows = new float[tokens.Length * 128];
            for (var token = 0; token < tokens.Length; token++)
            {
                var latents = Normal(new SeededRandom(tokens[token], "token", layer), Latents);
                var noise = new SeededRandom(token, "noise", layer);
                for (var i = 0; i < 128; i++)
                {
                    rows[token * 128 + i] = (float)(0.3 * noise.NextNormal());
                    for (var j = 0; j < Latents; j++)
                        rows[token * 128 + i] += latents[j] * _mixing[layer][j * 128 + i];
                }
            }

            visit(layer, rows, Normal(new SeededRandom(queryPositions[0], "queries", layer), queryPositions.Length * 2 * 64));
        }
    }

    private static float[] Normal(SeededRandom random, int count) => [.. Enumerable.Range(0, count).Select(_ => (float)random.NextNormal())];
}
