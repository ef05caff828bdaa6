using System.Globalization;
using DeltaKV.Evaluation;
using DeltaKV.Evaluation.Notes;
using DeltaKV.Evaluation.Ruler;

namespace DeltaKV.Compression.CompressKv;

/// <summary>Needle prompts of many lengths and depths. Never a document that evaluation uses: other seeds, other prose.</summary>
internal sealed record RetrievalCorpus
{
    /// <summary>Kinds of notes, for models that know needle-16m's way of asking.</summary>
    public static IReadOnlyList<string> NoteKinds { get; } = ["attr", "json", "copy", "walk"];

    /// <summary>Kinds of haystacks of RULER's needles, for all others.</summary>
    public static IReadOnlyList<string> NeedleKinds { get; } = ["niah-noise", "niah-essay", "niah-needles"];

    // Notes fall where they fall: of some documents with many questions, one asks about a note close to any depth.
    private const int Candidates = 64;
    private const int MostDraws = 12;
    private const double CloseEnough = 0.05;

    /// <summary>What is hidden in what: some of <see cref="NoteKinds"/> and <see cref="NeedleKinds"/>.</summary>
    public IReadOnlyList<string> Kinds { get; init; } = NeedleKinds;

    /// <summary>Prompt lengths in tokens, answers included.</summary>
    public IReadOnlyList<int> Lengths { get; init; } = [512, 1024, 2048];

    /// <summary>How deep the needles are: 0 at the beginning, 1 at the end.</summary>
    public IReadOnlyList<double> Depths { get; init; } = [0.1, 0.3, 0.5, 0.7, 0.9];

    /// <summary>Prompts follow from it.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>How many prompts there are.</summary>
    public int Count => Kinds.Count * Lengths.Count * Depths.Count;

    /// <summary>For the report: what is asked.</summary>
    public string Description => string.Create(CultureInfo.InvariantCulture,
        $"{string.Join(", ", Kinds)} at {string.Join('/', Lengths)} tokens and depths {string.Join('/', Depths)}; seed {Seed}");

    /// <summary>The prompts, in a fixed order.</summary>
    /// <exception cref="EvaluationException">A kind is unknown, or a length too short.</exception>
    public IEnumerable<RetrievalPrompt> Prompts(IEvaluationTokenizer tokenizer)
    {
        var notes = new NoteDocumentBuilder(tokenizer, FillerText.Calibration);
        var needles = new RulerDocumentBuilder(tokenizer);
        foreach (var kind in Kinds)
        {
            foreach (var length in Lengths)
            {
                foreach (var depth in Depths)
                {
                    SeededRandom Random(int draw) => new(Seed, "retrieval", kind, length, depth, draw);
                    var question = NoteKinds.Contains(kind)
                        ? Closest(draw => notes.Build(kind, Random(draw), length, Candidates), depth)
                        : needles.Build(kind, Haystack(kind, depth).Create, () => Random(0), length).Questions[0];
                    yield return new RetrievalPrompt(
                        question.Prompt, question.Evidence!.Value, question.References[0], question.MaximumTokens,
                        string.Create(CultureInfo.InvariantCulture, $"{kind} {length} at {depth}"));
                }
            }
        }
    }

    private static EvaluationQuestion Closest(Func<int, EvaluationDocument> draw, double depth)
    {
        (EvaluationQuestion Question, double Distance)? best = null;
        for (var i = 0; i < MostDraws && !(best?.Distance < CloseEnough); i++)
        {
            var document = draw(i);
            var closest = document.Questions.Select(q => (Question: q, Distance: Math.Abs(document.Depth(q)!.Value - depth))).MinBy(q => q.Distance);
            best = best is null || closest.Distance < best.Value.Distance ? closest : best;
        }

        return best!.Value.Question;
    }

    private static NeedleHaystack Haystack(string kind, double depth) => new(
        kind switch
        {
            "niah-noise" => NeedleHay.Noise,
            "niah-essay" => NeedleHay.Essay,
            "niah-needles" => NeedleHay.Needles,
            _ => throw new EvaluationException($"There is no kind of prompt '{kind}'. There are: {string.Join(", ", NoteKinds.Concat(NeedleKinds))}."),
        },
        1, 1, 1) { Prose = FillerText.Calibration, Depth = depth };
}
