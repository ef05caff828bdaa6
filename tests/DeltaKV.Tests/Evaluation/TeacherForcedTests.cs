using System.Globalization;
using DeltaKV.Engine;
using DeltaKV.Evaluation;
using DeltaKV.Evaluation.Notes;
using DeltaKV.Tests.Model;
using DeltaKV.Tests.Reference;
using DeltaKV.Tests.Support;
using Xunit.Abstractions;

namespace DeltaKV.Tests.Evaluation;

/// <summary>needle-16m predicts answers of all its task families, every right token before them given.</summary>
public sealed class TeacherForcedTests(ITestOutputHelper output)
{
    /// <summary>Half a step of bf16 for each of two logits from 16 to 32: where the best two are closer, either may win.</summary>
    private const float Rounding = 0.125f;

    /// <summary>Over how many documents each of <see cref="Trained"/> was measured.</summary>
    private const double TrainedDocuments = 8;

    private static readonly int[] Lengths = [2048, 4096, 8192, 16_000];

    /// <summary>Exact match by length, as measured with Transformers when the model was trained.</summary>
    private static readonly Dictionary<string, double[]> Trained = new()
    {
        ["attr"] = [1.00, 0.97, 0.98, 0.95],
        ["json"] = [1.00, 1.00, 1.00, 0.99],
        ["copy"] = [1.00, 1.00, 0.99, 1.00],
        ["walk"] = [0.91, 0.84, 0.91, 0.74],
        ["multi"] = [0.69, 0.66, 0.70, 0.73],
        ["var"] = [0.69, 0.63, 0.63, 0.56],
    };

    // The reference shares no code with the engine and computes in float32: the same tokens from it make the same scores.
    [Fact]
    public void PredictionsAreThoseOfTheReference()
    {
        using var target = Open(4096);
        using var reference = new ReferenceTarget(ReferenceTransformer.Load(TestModels.Needle), target.Tokenizer);
        var builder = new NoteDocumentBuilder(target.Tokenizer, FillerText.Evaluation);
        var near = 0;
        foreach (var family in NoteFamily.Names)
        {
            var length = TestAccelerators.UseCuda ? 3000 : 600;
            var document = new TeacherForcedDocument(builder.Build(family, new SeededRandom(11, family), length, 6), target.Tokenizer);
            var expected = document.Predict(reference);
            var actual = document.Predict(target);
            Assert.Equal(expected.Count, actual.Count);
            foreach (var (right, found) in expected.Zip(actual))
            {
                near += right.Margin <= Rounding ? 1 : 0;
                Assert.True(
                    right.Token == found.Token || right.Margin <= Rounding,
                    $"{family}, position {right.Position}: token {found.Token}, reference {right.Token} by {right.Margin:g3}");
            }

            output.WriteLine($"{family}: {document.ExactMatches(actual)} of {document.AnswerCount} answers, reference {document.ExactMatches(expected)}; {document.Tokens.Length} tokens");
        }

        Assert.InRange(near, 0, 10);
    }

    /// <summary>
    /// Scores within a point of the trained model's, but for chance: both figures are shares of some hundred answers about other documents, so three
    /// standard errors of their difference are allowed beside the point. Answers about one document stand or fall together (the hops of a walk), so
    /// documents are what is drawn. On the CPU only what the model does without fail.
    /// </summary>
    [Fact]
    public void ScoresAreThoseOfTheTrainedModel()
    {
        using var target = Open(16_384);
        var builder = new NoteDocumentBuilder(target.Tokenizer, FillerText.Evaluation);
        string[] families = TestAccelerators.UseCuda ? [.. Trained.Keys] : ["json", "copy"];
        int[] lengths = TestAccelerators.UseCuda ? Lengths : [Lengths[0]];
        var answersWanted = TestAccelerators.UseCuda ? 400 : 10;
        var outside = new List<string>();
        foreach (var length in lengths)
        {
            foreach (var family in families)
            {
                var documents = Score(target, builder, family, length, answersWanted);
                var answers = documents.Sum(document => document.Answers);
                var (score, trained) = (documents.Sum(document => document.Exact) / (double)answers, Trained[family][Array.IndexOf(Lengths, length)]);
                var allowed = 0.01 + (3 * Math.Max(StandardErrorOfAnswers(trained, answers, length), StandardErrorOfDocuments(documents)));
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{length,6} {family,-6} {score:f3} of {answers} about {documents.Count} documents, trained {trained:f2}, allowed {allowed:f3}"));
                if (Math.Abs(score - trained) > allowed)
                    outside.Add($"{family} at {length}: {score:f3} over {answers} answers, expected {trained:f2} within {allowed:f3}");
            }
        }

        Assert.True(outside.Count == 0, string.Join('\n', outside));
    }

    private static DeviceTarget Open(int maxLength) => new(TestModels.Needle, DeviceEngine.OnDevice(new EngineOptions
    {
        MaxSequences = 1, MaxBatchTokens = TestAccelerators.UseCuda ? 2048 : 512, MaxModelLength = maxLength, PrefixCaching = false,
    }));

    private static List<(int Exact, int Answers)> Score(DeviceTarget target, NoteDocumentBuilder builder, string family, int length, int answersWanted)
    {
        var scores = new List<(int Exact, int Answers)>();
        // As many questions a document as in training: about a sixth of it.
        var questions = Math.Clamp(length / 160, 2, answersWanted);
        while (scores.Sum(document => document.Answers) < answersWanted)
        {
            // All questions and answers together stay within the length.
            var document = new TeacherForcedDocument(
                builder.Build(family, new SeededRandom(4242, family, length, scores.Count), length * 4 / 5, questions), target.Tokenizer);
            scores.Add((document.ExactMatches(document.Predict(target)), document.AnswerCount));
        }

        return scores;
    }

    /// <summary>Of the difference to a share measured over eight documents, whose questions were about a sixth of them, were all answers independent.</summary>
    private static double StandardErrorOfAnswers(double share, int answers, int length)
    {
        // One answer in a hundred wrong is what a share that reads 1.00 may hide.
        var variance = Math.Max(share * (1 - share), 0.01);
        return Math.Sqrt((variance / answers) + (variance / (TrainedDocuments * length / 160)));
    }

    /// <summary>The same were all answers about a document one: from how much the shares of documents differ.</summary>
    private static double StandardErrorOfDocuments(List<(int Exact, int Answers)> documents)
    {
        if (documents.Count < 2)
            return 0;
        double[] shares = [.. documents.Select(document => document.Exact / (double)document.Answers)];
        var mean = shares.Average();
        var variance = shares.Sum(share => (share - mean) * (share - mean)) / (shares.Length - 1);
        return Math.Sqrt(variance * ((1 / TrainedDocuments) + (1.0 / shares.Length)));
    }
}
