using DeltaKV.Evaluation;
using DeltaKV.Evaluation.Notes;

namespace DeltaKV.Tests.Evaluation;

/// <summary>Every answer follows from the notes, worked out here by reading them.</summary>
public sealed class NoteFamilyTests
{
    [Theory]
    [InlineData("attr")]
    [InlineData("json")]
    [InlineData("copy")]
    public void TheAnswerStandsInTheNoteAboutTheSubject(string family)
    {
        var set = NoteFamily.Create(family, new SeededRandom(11), 50);
        Assert.Equal(50, set.Questions.Count);
        for (var i = 0; i < 50; i++)
        {
            Assert.Contains(set.Questions[i].Answer, set.Notes[i], StringComparison.Ordinal);
            Assert.Equal(i, set.Questions[i].Note);
        }
    }

    [Fact]
    public void VariablesResolveThroughTheirChains()
    {
        var set = NoteFamily.Create("var", new SeededRandom(12), 200);
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var words in set.Notes.Select(n => n.Split(' ')))
            values[words[1]] = words[3] == "VAR" ? values[words[4]] : words[3];

        Assert.Contains(set.Notes, n => n.Split(' ').Length == 5);
        foreach (var question in set.Questions)
            Assert.Equal(values[question.Text.Split(' ')[^1].TrimEnd('?')], question.Answer);
    }

    [Fact]
    public void OwnersOwnWhatTheNotesSayInThatOrder()
    {
        var set = NoteFamily.Create("multi", new SeededRandom(13), 60);
        foreach (var question in set.Questions)
        {
            var owner = question.Text.Split(' ')[3];
            var items = set.Notes.Where(n => n.Contains(owner, StringComparison.Ordinal))
                .Select(n => n.StartsWith("A ", StringComparison.Ordinal) ? n.Split(' ')[1] : n.Split(' ')[^1].TrimEnd('.'));
            Assert.Equal(string.Join(", ", items), question.Answer);
            Assert.Equal(set.Notes.ToList().FindIndex(n => n.Contains(owner, StringComparison.Ordinal)), question.Note);
        }
    }

    [Fact]
    public void WalksFollowThePaths()
    {
        var set = NoteFamily.Create("walk", new SeededRandom(14), 60);
        var next = set.Notes.Select(n => n.TrimEnd('.').Split(' '))
            .ToDictionary(w => w[0] == "From" ? w[1] : w[3], w => w[^1], StringComparer.Ordinal);
        foreach (var question in set.Questions)
        {
            var words = question.Text.Split(' ');
            var place = words[2];
            Assert.Contains($"rom {place} ", set.Notes[question.Note], StringComparison.Ordinal);
            var stops = new List<string>();
            for (var i = 0; i < int.Parse(words[5], System.Globalization.CultureInfo.InvariantCulture); i++)
                stops.Add(place = next[place]);
            Assert.Equal($"{string.Join(' ', stops)}. The walk ends at {place}.", question.Answer);
        }
    }
}
