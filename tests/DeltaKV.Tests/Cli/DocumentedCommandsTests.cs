using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using DeltaKV.Cli;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Cli;

/// <summary>Every command that the README and the docs show is one that there is, with options that it has.</summary>
public sealed partial class DocumentedCommandsTests
{
    public static TheoryData<string, string> Shown()
    {
        var data = new TheoryData<string, string>();
        foreach (var file in Directory.GetFiles(RepositoryRoot.PathTo("docs"), "*.md").Append(RepositoryRoot.PathTo("README.md")).Order(StringComparer.Ordinal))
        {
            foreach (Match command in Command().Matches(File.ReadAllText(file)))
                data.Add(Path.GetFileName(file), command.Groups[1].Value.Trim());
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Shown))]
    public void ItCanBeParsed(string file, string command)
    {
        var terminal = new Terminal(TextReader.Null, TextWriter.Null, TextWriter.Null, AcceptsInput: false, ShowsProgress: false);

        var parsed = CommandLine.Root(terminal).Parse([.. CommandLineParser.SplitCommandLine(command.Replace('\'', '"'))]);

        Assert.True(parsed.Errors.Count == 0, $"{file}: deltakv {command}: {string.Join(' ', parsed.Errors.Select(error => error.Message))}");
    }

    /// <summary>A line of a shell block up to its comment, or the first cell of a table.</summary>
    [GeneratedRegex("^(?:\\| `)?deltakv ([a-z]+(?: [^#`\n]*)?)(?:`|#|$)", RegexOptions.Multiline)]
    private static partial Regex Command();
}
