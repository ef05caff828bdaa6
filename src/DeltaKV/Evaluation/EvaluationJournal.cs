using System.Text.Json;

namespace DeltaKV.Evaluation;

/// <summary>Finished work, one JSON line each, so that an interrupted run goes on where it stopped. Safe to use from several threads.</summary>
internal sealed class EvaluationJournal
{
    private readonly Lock _gate = new();
    private readonly string? _path;
    private readonly Dictionary<(string, string, int, EvaluationSetting, long, int, string), EvaluationJournalEntry> _entries = [];

    /// <summary>Opens or creates a journal; null keeps it in memory.</summary>
    public EvaluationJournal(string? path = null)
    {
        _path = path;
        if (path is null || !File.Exists(path))
            return;
        var lines = File.ReadAllLines(path);
        for (var i = 0; i < lines.Length; i++)
        {
            try
            {
                var entry = JsonSerializer.Deserialize<EvaluationJournalEntry>(lines[i], EvaluationJson.Line)!;
                _entries[entry.Key] = entry;
            }
            catch (JsonException) when (i == lines.Length - 1)
            {
                // The last line may have been cut off by the interruption; its document is simply run again.
                File.WriteAllLines(path, lines[..i]);
            }
            catch (JsonException e)
            {
                throw new EvaluationException($"{path}, line {i + 1}, is not a journal entry: {e.Message} Delete the file to start over.", e);
            }
        }
    }

    /// <summary>The file; null if it is kept in memory.</summary>
    public string? Path => _path;

    /// <summary>All entries, in the order they were added.</summary>
    public IReadOnlyCollection<EvaluationJournalEntry> Entries
    {
        get
        {
            lock (_gate)
                return [.. _entries.Values];
        }
    }

    /// <summary>Whether this work is done.</summary>
    public bool Contains(EvaluationJournalEntry entry)
    {
        lock (_gate)
            return _entries.ContainsKey(entry.Key);
    }

    /// <summary>Adds an entry and writes it before returning.</summary>
    public void Add(EvaluationJournalEntry entry)
    {
        lock (_gate)
        {
            _entries[entry.Key] = entry;
            if (_path is not null)
                File.AppendAllText(_path, JsonSerializer.Serialize(entry, EvaluationJson.Line) + "\n");
        }
    }
}
