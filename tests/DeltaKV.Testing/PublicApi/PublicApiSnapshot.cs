using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace DeltaKV.Testing.PublicApi;

/// <summary>Compares an assembly's public API with the file <c>PublicApi.NAME.txt</c> beside the test.</summary>
public static class PublicApiSnapshot
{
    private const string Accept = "DELTAKV_ACCEPT_API";

    /// <summary>What was added and removed, and how to accept it; null for nothing. With <c>DELTAKV_ACCEPT_API=1</c> the file is written instead.</summary>
    public static string? Difference(Assembly assembly, [CallerFilePath] string test = "")
    {
        ArgumentNullException.ThrowIfNull(assembly);
        var name = assembly.GetName().Name;
        var file = Path.Combine(SourceTree.Locate(Path.GetDirectoryName(test)!), $"PublicApi.{name}.txt");
        var actual = PublicApiText.Of(assembly);
        if (Environment.GetEnvironmentVariable(Accept) == "1")
        {
            File.WriteAllText(file, string.Join('\n', actual) + "\n");
            return null;
        }

        var expected = File.Exists(file) ? File.ReadAllLines(file) : [];
        var added = actual.Except(expected).Select(line => "+ " + line).ToList();
        var removed = expected.Except(actual).Select(line => "- " + line).ToList();
        if (added.Count + removed.Count == 0)
            return null;
        var message = new StringBuilder($"The public API of {name} is not that of {file}:\n");
        foreach (var line in removed.Concat(added).OrderBy(line => line[2..], StringComparer.Ordinal))
            message.Append(line).Append('\n');
        return message.Append($"If it is meant to be: {Accept}=1 dotnet test -c Release --filter IsThatOfTheSnapshot, and commit the file.").ToString();
    }
}
