using DeltaKV.Compression.DeltaKv;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;

namespace DeltaKV.Tests.Compression.DeltaKv.Training;

/// <summary>A model whose cache is a bent function of twelve numbers per word, with a word's neighbours alike: enough to train on, and quick.</summary>
internal sealed class BentModel : ICalibrationModel
{
    internal const int Layers = 3;
    internal const int Width = 128;

    public ModelFingerprint Fingerprint { get; } = new("Llama", Layers, 1, Width / 2, "bent");

    public IEvaluationTokenizer Tokenizer { get; } = new Letters();

    public AttentionGeometry Geometry(int layer) => throw new NotSupportedException();

    public void Read(ReadOnlySpan<int> tokens, ReadOnlySpan<int> queryPositions, CalibrationVisitor visit)
    {
        for (var layer = 0; layer < Layers; layer++)
        {
            var mix = new SeededRandom(7, "mix", layer);
            var weights = Enumerable.Range(0, Width * 12).Select(_ => mix.NextNormal()).ToArray();
            var rows = new float[tokens.Length * Width];
            for (var token = 0; token < tokens.Length; token++)
            {
                var random = new SeededRandom(1, "word", tokens[token], token % 7);
                var point = Enumerable.Range(0, 12).Select(_ => random.NextNormal()).ToArray();
                for (var i = 0; i < Width; i++)
                {
                    for (var j = 0; j < 12; j++)
                        rows[(token * Width) + i] += (float)(weights[(i * 12) + j] * (j % 3 == 0 ? Math.Abs(point[j]) : point[j]));
                }
            }

            visit(layer, rows, ReadOnlyMemory<float>.Empty);
        }
    }

    private sealed class Letters : IEvaluationTokenizer
    {
        public int[] Encode(string text) => [.. text.Select(letter => (int)letter)];

        public int[] EncodeRendered(string text) => Encode(text);

        public string Decode(ReadOnlySpan<int> tokens) => new([.. tokens.ToArray().Select(token => (char)token)]);

        public string RenderChat(IReadOnlyList<string> messages) => string.Concat(messages);
    }
}
