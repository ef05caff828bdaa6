using System.Globalization;

namespace DeltaKV.Compression;

/// <summary>A key/value method by name with its settings, as <c>NAME</c> or <c>NAME:key=value,key=value</c>.</summary>
/// <param name="Name">The method.</param>
/// <param name="Settings">Its settings.</param>
public sealed record KvMethodSpec(string Name, IReadOnlyDictionary<string, string> Settings)
{
    /// <summary>Reads a specification.</summary>
    /// <exception cref="ArgumentException">It has another form.</exception>
    internal static KvMethodSpec Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (string.IsNullOrWhiteSpace(text))
            throw new ArgumentException("The key/value method is empty; expected a name such as 'full' or 'int4', with settings as NAME:key=value.");
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (colon >= 0)
        {
            foreach (var pair in text[(colon + 1)..].Split(','))
            {
                var equals = pair.IndexOf('=', StringComparison.Ordinal);
                if (equals <= 0 || !settings.TryAdd(pair[..equals].Trim(), pair[(equals + 1)..].Trim()))
                    throw new ArgumentException($"'{text}' is no method: after the colon come settings as key=value, each once, separated by commas; '{pair}' is not one.");
            }
        }

        return new KvMethodSpec((colon < 0 ? text : text[..colon]).Trim().ToLowerInvariant(), settings);
    }

    /// <summary>Refuses settings that the method does not know.</summary>
    /// <exception cref="ArgumentException">There is another one.</exception>
    public void Allow(params ReadOnlySpan<string> known)
    {
        foreach (var key in Settings.Keys)
        {
            if (!known.Contains(key.ToLowerInvariant()))
                throw new ArgumentException($"The method '{Name}' has no setting '{key}'; it has{(known.IsEmpty ? " none" : $": {string.Join(", ", known.ToArray())}")}.");
        }
    }

    /// <summary>A setting that is a whole number.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    public int Number(string key, int otherwise)
    {
        if (!Settings.TryGetValue(key, out var text))
            return otherwise;
        return int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new ArgumentException($"The setting '{key}' of '{Name}' is '{text}', expected a whole number{AfterPlus(text)}.");
    }

    /// <summary>A setting that is a number.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    public double Real(string key, double otherwise)
    {
        if (!Settings.TryGetValue(key, out var text))
            return otherwise;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new ArgumentException($"The setting '{key}' of '{Name}' is '{text}', expected a number{AfterPlus(text)}.");
    }

    /// <summary>A setting that counts something, from 0.</summary>
    internal int Count(string key, int otherwise, int most = int.MaxValue) => Number(key, otherwise) is var value && value >= 0 && value <= most
        ? value
        : throw new ArgumentException($"The setting '{key}' of '{Name}' is {value}, expected {(most == int.MaxValue ? "0 or more" : $"0 to {most}")}.");

    /// <summary>The setting <c>share</c> of methods that select what they read, as a fraction; 0 if it is not there.</summary>
    internal float SelectedShare() => Real("share", 0) is >= 0 and <= 100 and var percent
        ? (float)(percent / 100)
        : throw new ArgumentException($"The setting 'share' of '{Name}' is {Text("share")}, expected 0 to 100 percent.");

    /// <summary>A setting that lists layers, as <c>0+1+8</c>.</summary>
    internal int[] Layers(string key, int count)
    {
        if (!Settings.TryGetValue(key, out var text))
            return [];
        return [.. text.Split('+').Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var layer) && layer < count
            ? layer
            : throw new ArgumentException($"The setting '{key}' of '{Name}' is '{text}', expected layers 0 to {count - 1} joined by '+'."))];
    }

    /// <summary>The setting <c>heads</c> of methods with observation layers: whether every key/value head has a selection of its own.</summary>
    internal bool PerHead() => Text("heads") switch
    {
        null or "shared" => false,
        "each" => true,
        var other => throw new ArgumentException($"The setting 'heads' of '{Name}' is '{other}', expected 'shared' or 'each'."),
    };

    /// <summary>The setting <c>prefill</c> of methods with observation layers: tokens that prompt chunks read, in whole tiles of 16; 0 for <c>all</c>.</summary>
    internal int PrefillTokens()
    {
        var tokens = Text("prefill") == "all" ? 0 : Number("prefill", 0);
        return tokens >= 0 ? (tokens + 15) / 16 * 16 : throw new ArgumentException($"The setting 'prefill' of '{Name}' is {tokens}, expected a number of tokens or 'all'.");
    }

    /// <summary>A setting that is text.</summary>
    public string? Text(string key) => Settings.GetValueOrDefault(key);

    /// <summary>What a composition needs, where someone meant one and misspelt its second part.</summary>
    private static string AfterPlus(string text) => text.IndexOf('+', StringComparison.Ordinal) is > 0 and var plus ? $"; after '+' comes a method, and none is called '{text[(plus + 1)..]}'" : "";

    /// <inheritdoc/>
    public override string ToString() =>
        Settings.Count == 0 ? Name : $"{Name}:{string.Join(',', Settings.Select(setting => $"{setting.Key}={setting.Value}"))}";
}
