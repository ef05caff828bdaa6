using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DeltaKV.Cli.Output;

/// <summary>Where JSON goes, if anywhere.</summary>
/// <param name="IsWanted">Whether it was asked for.</param>
/// <param name="File">The file; null for stdout.</param>
internal sealed record JsonTarget(bool IsWanted, string? File)
{
    private static readonly JsonSerializerOptions Lines = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private static readonly JsonSerializerOptions Indented = new(Lines) { WriteIndented = true };

    /// <summary>Whether stdout belongs to JSON, so that no text may go there.</summary>
    internal bool TakesOutput => IsWanted && File is null;

    /// <summary>Writes a result: one line on stdout, or the whole of the file.</summary>
    internal async Task WriteAsync<T>(T result, Terminal terminal)
    {
        if (TakesOutput)
            await terminal.Out.WriteLineAsync(JsonSerializer.Serialize(result, Lines));
        else if (IsWanted)
            await SaveAsync(result);
    }

    /// <summary>Brings the file up to date; nothing where stdout is the target, which is written once.</summary>
    internal async Task SaveAsync<T>(T result)
    {
        if (File is null)
            return;
        await System.IO.File.WriteAllTextAsync(File, JsonSerializer.Serialize(result, Indented) + "\n");
    }
}
