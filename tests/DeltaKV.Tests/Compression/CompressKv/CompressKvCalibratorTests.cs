using DeltaKV.Compression.CompressKv;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;
using DeltaKV.Tests.Evaluation;

namespace DeltaKV.Tests.Compression.CompressKv;

public sealed class CompressKvCalibratorTests
{
    private static readonly RetrievalCorpus Corpus = new() { Kinds = ["json", "copy"], Lengths = [512], Depths = [0.3, 0.7] };

    [Fact]
    public void HeadsThatReturnToTheNeedleAreFoundAndLayersThatLoseAreTold()
    {
        var profile = new CompressKvCalibrator(new ScriptedModel(Corpus, missed: 1)).Run(Corpus);

        // In layer 0 head 1 looks at the needle, in layer 1 head 2; the others look at everything alike.
        Assert.Equal([1], profile.Layers[0].Heads);
        Assert.Equal([2], profile.Layers[1].Heads);
        Assert.True(profile.Layers[0].Scores[1] > 0.9);
        Assert.True(profile.Layers[0].Scores[0] < 0.5 * profile.Layers[0].Scores[1]);
        // All values of layer 0 are alike, so it loses nothing by reading few of them.
        Assert.Equal(0, profile.Layers[0].Error, 1e-3);
        Assert.True(profile.Layers[1].Error > 0.5);
        Assert.Contains("3 of 4 prompts", profile.Report, StringComparison.Ordinal);
        Assert.Equal(ScriptedModel.Shape, profile.Model);
    }

    [Fact]
    public void AModelThatAnswersNothingIsRefused()
    {
        var error = Assert.Throws<EvaluationException>(() => new CompressKvCalibrator(new ScriptedModel(Corpus, missed: 4)).Run(Corpus));
        Assert.Contains("none of 4", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Two layers of three heads without RoPE that share one KV head; knows the answers to all prompts but the first few.</summary>
    private sealed class ScriptedModel : IAnsweringModel
    {
        private const int Dim = 4;
        private readonly RetrievalPrompt[] _prompts;
        private readonly int _missed;

        public ScriptedModel(RetrievalCorpus corpus, int missed) => (_prompts, _missed) = ([.. corpus.Prompts(Tokenizer)], missed);

        public static ModelFingerprint Shape { get; } = new("Llama", 2, 1, Dim, "scripted");

        public ModelFingerprint Fingerprint => Shape;

        public IEvaluationTokenizer Tokenizer { get; } = new WordTokenizer();

        public AttentionGeometry Geometry(int layer)
        {
            var identity = new float[3 * Dim * 3 * Dim];
            for (var i = 0; i < 3 * Dim; i++)
                identity[i * 3 * Dim + i] = 1;
            return new AttentionGeometry(3, 1, Dim, 3 * Dim, [0, 0], identity);
        }

        public void Read(ReadOnlySpan<int> tokens, ReadOnlySpan<int> queryPositions, CalibrationVisitor visit) => throw new NotSupportedException();

        public int[] Answer(ReadOnlySpan<int> prompt, int maximumTokens, int window, CalibrationVisitor visit)
        {
            var tokens = prompt.ToArray();
            var index = Array.FindIndex(_prompts, p => p.Tokens.SequenceEqual(tokens));
            var answer = index < _missed ? [] : Tokenizer.Encode(_prompts[index].Answer);
            var (start, length) = _prompts[index].Needle.GetOffsetAndLength(tokens.Length);
            for (var layer = 0; layer < 2; layer++)
            {
                var rows = new float[(tokens.Length + answer.Length) * 2 * Dim];
                for (var token = 0; token < tokens.Length + answer.Length; token++)
                {
                    rows[token * 2 * Dim] = token >= start && token < start + length ? 10 : 0;
                    rows[token * 2 * Dim + Dim] = layer == 0 ? 1 : token % 7 - 3;
                }

                var queries = new float[(window + answer.Length) * 3 * Dim];
                for (var i = 0; i < window + answer.Length; i++)
                    queries[i * 3 * Dim + (layer + 1) * Dim] = 10;
                visit(layer, rows, queries);
            }

            return answer;
        }
    }
}
