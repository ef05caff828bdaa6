using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Text.RegularExpressions;

namespace DeltaKV.Cli.Options;

/// <summary>Help without the defaults that the parser appends: descriptions say them, in the words that are typed and with what they depend on.</summary>
internal sealed partial class PlainHelp(HelpAction help) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var output = parseResult.InvocationConfiguration.Output;
        using var text = new StringWriter();
        parseResult.InvocationConfiguration.Output = text;
        var code = help.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output = output;
        output.Write(Default().Replace(text.ToString(), ""));
        return code;
    }

    /// <summary>It may stand on a line of its own.</summary>
    [GeneratedRegex(@"\s+\[default: [^\]]*\]")]
    private static partial Regex Default();
}
