namespace DeltaKV.Evaluation.Notes;

/// <summary>Scatters notes through filler paragraphs so that the document has exactly the length asked for.</summary>
/// <remarks>
/// The wording is needle-16m's (its recipe is published with the model). The length counts everything a run sees: frame, notes, filler and
/// the longest question with its answer and end mark; the other questions make documents a few tokens shorter.
/// </remarks>
internal sealed class NoteDocumentBuilder(IEvaluationTokenizer tokenizer, IReadOnlyList<string> filler)
{
    private const int TokensPerNote = 22;
    private const int MostNotes = 400;
    private static readonly double[] Densities = [0.1, 0.2, 0.35, 0.6];

    private readonly ChatFrame _frame = ChatFrame.Of(tokenizer);
    private readonly Dictionary<string, int[]> _encoded = new(StringComparer.Ordinal);

    /// <summary>One document of exactly <paramref name="length"/> tokens with at most <paramref name="questions"/> questions.</summary>
    /// <exception cref="EvaluationException">The length leaves no room for any notes.</exception>
    public EvaluationDocument Build(string family, SeededRandom random, int length, int questions)
    {
        var count = Math.Clamp((int)(length * random.Pick<double>(Densities) / TokensPerNote), 2, MostNotes);
        while (true)
        {
            var notes = NoteFamily.Create(family, random, count);
            var asked = random.Sample<NoteQuestion>(notes.Questions.ToArray(), Math.Min(questions, notes.Questions.Count));
            var document = Fit(notes, asked, random, length);
            if (document is not null)
                return document;
            if (count <= 2)
                throw new EvaluationException($"{length} tokens cannot hold a document of family '{family}'; use at least 512.");
            count /= 2;
        }
    }

    /// <summary>The document with all its questions answered one after the other, as calibration reads it.</summary>
    public int[] Transcript(EvaluationDocument document) =>
        [.. document.Context, .. document.Questions.SelectMany(q => (int[])[.. q.Turn, .. Encode(q.References[0]), .. _frame.NextQuestion])];

    private EvaluationDocument? Fit(NoteSet notes, NoteQuestion[] asked, SeededRandom random, int length)
    {
        var newline = Encode("\n");
        var questions = asked.Select(q => (Text: Encode(q.Text), Answer: Encode(q.Answer), Reference: q.Answer, q.Note)).ToArray();
        int[] head = [.. _frame.Opening, .. Encode("Read these notes.\n")];
        int[] tail = [.. _frame.Answering, .. Encode("Noted."), .. _frame.NextQuestion];
        var encoded = notes.Notes.Select(Encode).ToArray();
        var longest = questions.Max(q => q.Text.Length + _frame.Answering.Length + q.Answer.Length + 1);
        var room = length - head.Length - tail.Length - longest - encoded.Sum(n => n.Length + newline.Length);
        if (room < 0)
            return null;

        var slots = Enumerable.Range(0, encoded.Length + 1).Select(_ => new List<int>()).ToArray();
        while (room > 0)
        {
            var paragraph = Encode(filler[random.Next(filler.Count)]);
            int[] line = [.. paragraph, .. newline];
            line = line.Length <= room ? line : [.. paragraph[..Math.Max(0, room - newline.Length)], .. newline[..Math.Min(room, newline.Length)]];
            slots[random.Next(slots.Length)].AddRange(line);
            room -= line.Length;
        }

        var body = new List<int>(slots[0]);
        var places = new Range[encoded.Length];
        for (var i = 0; i < encoded.Length; i++)
        {
            var start = head.Length + body.Count;
            places[i] = start..(start + encoded[i].Length);
            body.AddRange([.. encoded[i], .. newline, .. slots[i + 1]]);
        }

        return new EvaluationDocument([.. head, .. body, .. tail], [.. questions.Select(q => new EvaluationQuestion(
            [.. q.Text, .. _frame.Answering], [.. head, .. body, .. newline, .. q.Text, .. _frame.Answering], [q.Reference], Exact: true,
            q.Answer.Length + 2) { Evidence = places[q.Note] })]);
    }

    private int[] Encode(string text) => _encoded.TryGetValue(text, out var tokens) ? tokens : _encoded[text] = tokenizer.Encode(text);
}
