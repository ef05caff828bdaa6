using System.CommandLine;
using System.CommandLine.Help;
using DeltaKV.Cli.Commands;
using DeltaKV.Cli.Options;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Engine;
using DeltaKV.Evaluation;
using DeltaKV.Gpu;
using DeltaKV.Tokenization;
using DeltaKV.Weights;

namespace DeltaKV.Cli;

/// <summary>The whole of <c>deltakv</c>: parses, runs, and turns what goes wrong into one line on stderr and an exit code.</summary>
internal static class CommandLine
{
    private const string Name = "deltakv";

    internal static async Task<int> RunAsync(string[] arguments, Terminal terminal)
    {
        var parsed = Root(terminal).Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                await terminal.Error.WriteLineAsync($"{Name}: {ErrorText.Of(error)}");
            await terminal.Error.WriteLineAsync($"See: {Path(parsed)} --help");
            return ExitCode.Usage;
        }

        try
        {
            // Without a time limit the parser leaves Ctrl-C to us.
            var configuration = new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            return await parsed.InvokeAsync(configuration, terminal.Interrupts.Program);
        }
        catch (OperationCanceledException stopped)
        {
            await terminal.Error.WriteLineAsync($"{Environment.NewLine}{Name}: interrupted{(stopped is InterruptedException ? $": {stopped.Message}" : ".")}");
            return ExitCode.Cancelled;
        }
        catch (Exception error) when (error is UsageException or ArgumentException)
        {
            // An argument out of range is an option out of range: the options say themselves what they take.
            await terminal.Error.WriteLineAsync($"{Name}: {ErrorText.Of(error)}");
            return ExitCode.Usage;
        }
        catch (Exception error) when (IsExpected(error))
        {
            await terminal.Error.WriteLineAsync($"{Name}: {ErrorText.Of(error)}");
            return ExitCode.Failure;
        }
    }

    /// <summary>All commands. Not a RootCommand, which would go by the name of the assembly.</summary>
    internal static Command Root(Terminal terminal) => new(Name, "Long-context language models on a GPU or the CPU.")
    {
        new HelpOption { Action = new PlainHelp(new HelpAction()) },
        new VersionOption(),
        ChatCommand.Create(terminal),
        GenerateCommand.Create(terminal),
        InfoCommand.Create(terminal),
        BenchCommand.Create(terminal),
        EvalCommand.Create(terminal),
        InspectCommand.Create(terminal),
        CalibrateCommand.Create(terminal),
    };

    /// <summary>What users, files and devices cause; anything else is a defect, which the runtime reports with its stack.</summary>
    private static bool IsExpected(Exception error) => error
        is IOException or UnauthorizedAccessException or NotSupportedException
        or ModelFormatException or TokenizerFormatException or ChatTemplateException
        or CodecMismatchException or InsufficientDeviceMemoryException or ContextOverflowException or AcceleratorException or EvaluationException;

    private static string Path(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        return command.Name == Name ? Name : $"{Name} {command.Name}";
    }
}
