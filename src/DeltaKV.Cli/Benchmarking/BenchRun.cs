using DeltaKV.Cli.Output;
using DeltaKV.Gpu;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>Measures what the plan says and reports every row when it is there, so that nothing is lost when a run is cut short.</summary>
internal sealed class BenchRun(BenchPlan plan, JsonTarget target, Terminal terminal)
{
    private readonly BenchTable table = new(target.TakesOutput ? TextWriter.Null : terminal.Out);

    internal async Task<BenchReport> MeasureAsync(BenchSource source, AcceleratorStream stream, CancellationToken cancellation)
    {
        // Before the weights take the memory.
        var copy = CopyBandwidth.MeasureGigabytesPerSecond(stream, plan.Samples, cancellation);
        await terminal.Error.WriteLineAsync($"{source.Name}: {(source.Path is null ? "making" : "loading")} weights");
        using var model = source.Open(stream, plan.MaxBatch, new LoadDisplay(terminal, showsPlan: false), cancellation);
        var report = new BenchReport(
            source.Name, source.Path is null, source.MethodName, stream.Accelerator.Name, model.Weights.ByteLength, source.Config.KvBytesPerToken, copy, plan.Samples);
        table.Begin(report);

        try
        {
            await MeasureAsync(report, model, copy, cancellation);
        }
        catch (OperationCanceledException stopped)
        {
            // What has a file got every row when it was there.
            if (target.TakesOutput)
                await target.WriteAsync(report, terminal);
            throw new InterruptedException($"{report.Decode.Count + report.Prefill.Count} of {plan.Decodes.Length + plan.Prompts.Length} sizes were measured.", stopped);
        }

        await target.WriteAsync(report, terminal);
        return report;
    }

    private async Task MeasureAsync(BenchReport report, BenchModel model, double copy, CancellationToken cancellation)
    {
        var decode = new DecodeBenchmark(model, plan.Chunk, plan.Samples, copy, plan.Profile);
        foreach (var size in plan.Decodes)
        {
            await MeasureAsync(report, $"decode {size}", () =>
            {
                var row = decode.Measure(size, cancellation);
                report.Decode.Add(row);
                table.Add(row);
            });
        }

        var prefill = new PrefillBenchmark(model, plan.Chunk, plan.PrefillSamples);
        foreach (var length in plan.Prompts)
        {
            await MeasureAsync(report, $"prefill {length}", () =>
            {
                var row = prefill.Measure(length, cancellation);
                report.Prefill.Add(row);
                table.Add(row);
            });
        }
    }

    /// <summary>A size that turns out not to fit, or not to run, is reported and the next one measured, as long as there is a device.</summary>
    private async Task MeasureAsync(BenchReport report, string what, Action measure)
    {
        await terminal.Error.WriteLineAsync(what);
        try
        {
            measure();
        }
        catch (AcceleratorException error) when (error is not AcceleratorLostException)
        {
            report.Failures.Add($"{what}: {error.Message}");
            await terminal.Error.WriteLineAsync($"deltakv: {what}: {error.Message}");
        }

        await target.SaveAsync(report);
    }
}
