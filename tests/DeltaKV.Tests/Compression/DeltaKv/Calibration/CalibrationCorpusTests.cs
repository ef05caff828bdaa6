using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;
using DeltaKV.Evaluation.Notes;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Compression.DeltaKv.Calibration;

public sealed class CalibrationCorpusTests
{
    private static readonly ModelTokenizer Tokenizer = ModelTokenizer.Load(TestModels.Needle);

    [Fact]
    public void NoLineOfACalibrationDocumentIsInAnEvaluationDocumentOfTheSameSeed()
    {
        var corpus = new CalibrationCorpus { Seed = 42, DocumentsPerFamily = 3, ProseDocuments = 2, Lengths = [1024] };
        int[][] documents = [.. corpus.Documents(Tokenizer).Select(document => document.Tokens)];
        Assert.Equal((20, 20), (documents.Length, corpus.Count(Tokenizer)));
        var read = Lines(documents);
        var plan = new EvaluationPlan { Methods = ["full"], Tasks = [.. NoteFamily.Names], Lengths = [1024], Questions = 30, Seed = 42 };
        var evaluation = new EvaluationDocuments(plan, Tokenizer);
        var asked = Lines(NoteFamily.Names.SelectMany(task => evaluation.Of(task, 1024)).Select(document => document.Context));
        Assert.True(read.Count > 200 && asked.Count > 200, "there must be lines to compare");
        Assert.Empty(read.Intersect(asked));
    }

    [Fact]
    public void FamiliesLeftOutAreNotRead()
    {
        var corpus = new CalibrationCorpus { Families = ["copy"], DocumentsPerFamily = 2, Lengths = [512] };
        Assert.Equal(2, corpus.Count(Tokenizer));
        Assert.All(corpus.Documents(Tokenizer), document => Assert.Contains("report", Tokenizer.Decode(document.Tokens), StringComparison.Ordinal));
        Assert.DoesNotContain("walk", corpus.Description, StringComparison.Ordinal);
    }

    [Fact]
    public void TextsAreCutAndCounted()
    {
        var text = string.Join('\n', FillerText.Calibration.Take(40));
        var corpus = new CalibrationCorpus { Families = [], Texts = [text, "short"], Lengths = [512, 700] };
        var documents = corpus.Documents(Tokenizer).ToArray();
        Assert.Equal(documents.Length, corpus.Count(Tokenizer));
        Assert.Equal([512, 700], documents.Take(2).Select(document => document.Tokens.Length));
        Assert.Equal(Tokenizer.Encode(text), documents[..^1].SelectMany(document => document.Tokens));
        Assert.All(documents[..^1], document => Assert.InRange(document.QueryPositions[0], document.Tokens.Length / 2, document.Tokens.Length));
        Assert.NotEqual(corpus.Key, (corpus with { Texts = [text, "shore"] }).Key);
    }

    [Fact]
    public void TooLittleTextIsRefusedUnlessNotesAreReadToo()
    {
        var corpus = new CalibrationCorpus { Families = [], Texts = ["The keeper of the silver mill is Brolan.", ""] };

        var error = Assert.Throws<ArgumentException>(() => corpus.RequireEnough(Tokenizer));
        Assert.Contains($"The texts have {Tokenizer.Encode(corpus.Texts[0]).Length} tokens together", error.Message, StringComparison.Ordinal);
        (corpus with { Texts = [string.Join('\n', FillerText.Calibration.Take(40))] }).RequireEnough(Tokenizer);
        (corpus with { Families = ["attr"] }).RequireEnough(Tokenizer);
    }

    /// <summary>Whole lines that say something; the frame of a conversation is everywhere the same.</summary>
    private static HashSet<string> Lines(IEnumerable<int[]> documents) =>
        [.. documents.SelectMany(tokens => Tokenizer.Decode(tokens).Split('\n')[1..^1]).Where(line => line.Length > 20)];
}
