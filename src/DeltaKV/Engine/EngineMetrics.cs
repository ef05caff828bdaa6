using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace DeltaKV.Engine;

/// <summary>What an engine measures, under the meter <see cref="MeterName"/>; names of the OpenTelemetry GenAI conventions where they have one.</summary>
internal sealed class EngineMetrics : IDisposable
{
    internal const string MeterName = "DeltaKV";

    private readonly Meter meter;
    private readonly KeyValuePair<string, object?> model;
    private readonly Histogram<double> requestDuration;
    private readonly Histogram<double> timeToFirstToken;
    private readonly Histogram<double> timePerOutputToken;
    private readonly Histogram<long> kvBytes;
    private readonly Histogram<long> kvPeakBytes;
    private readonly Histogram<double> kvRatio;

    internal EngineMetrics(string modelName)
    {
        meter = new Meter(MeterName);
        model = new KeyValuePair<string, object?>("gen_ai.response.model", modelName);
        requestDuration = meter.CreateHistogram<double>("gen_ai.server.request.duration", "s", "From a request to its last token.");
        timeToFirstToken = meter.CreateHistogram<double>("gen_ai.server.time_to_first_token", "s", "From a request to its first token.");
        timePerOutputToken = meter.CreateHistogram<double>("gen_ai.server.time_per_output_token", "s", "Between tokens after the first.");
        kvBytes = meter.CreateHistogram<long>("deltakv.request.kv.bytes", "By", "Key/value memory that a request held when it ended.");
        kvPeakBytes = meter.CreateHistogram<long>("deltakv.request.kv.peak_bytes", "By", "The most key/value memory that a request held while its prompt was computed, or when it ended.");
        kvRatio = meter.CreateHistogram<double>("deltakv.request.kv.ratio", "1", "What a request held as a share of an uncompressed bf16 cache of its tokens.");
    }

    internal void Observe(EngineLoad load)
    {
        Gauge("deltakv.sequences.running", "{sequence}", "Sequences computed at present.", () => load.Running);
        Gauge("deltakv.sequences.waiting", "{sequence}", "Sequences waiting for a slot or for memory.", () => load.Waiting);
        Gauge("deltakv.kv.tokens", "{token}", "Tokens in the caches of running sequences.", () => load.KvTokens);
        Gauge("deltakv.kv.bytes", "By", "Bytes of key/value memory held by running sequences.", () => load.KvBytes);
        Gauge("deltakv.kv.full_bytes", "By", "Bytes an uncompressed bf16 cache of the same tokens would hold.", () => load.KvFullBytes);
        meter.CreateObservableCounter("deltakv.preemptions", () => new Measurement<long>(load.Preemptions, model), "{sequence}", "Sequences that gave their memory back to an older one.");
        meter.CreateObservableCounter("deltakv.tokens.computed", () => new Measurement<long>(load.ComputedTokens, model), "{token}", "Tokens computed, recomputed ones included.");
    }

    /// <summary>Records a sequence that ended; called on the engine thread.</summary>
    internal void RecordEnd(Sequence sequence)
    {
        if (sequence.Finish is null)
            return;
        var duration = Stopwatch.GetElapsedTime(sequence.SubmittedAt, sequence.EndedAt);
        requestDuration.Record(duration.TotalSeconds, model);
        timeToFirstToken.Record(Stopwatch.GetElapsedTime(sequence.SubmittedAt, sequence.FirstTokenAt).TotalSeconds, model);
        kvBytes.Record(sequence.FinalUsage.TotalBytes, model);
        kvPeakBytes.Record(sequence.PeakKvBytes, model);
        kvRatio.Record(sequence.FinalUsage.Ratio, model);
        if (sequence.OutputCount > 1)
            timePerOutputToken.Record(Stopwatch.GetElapsedTime(sequence.FirstTokenAt, sequence.EndedAt).TotalSeconds / (sequence.OutputCount - 1), model);
    }

    public void Dispose() => meter.Dispose();

    private void Gauge(string name, string unit, string description, Func<long> value) =>
        meter.CreateObservableGauge(name, () => new Measurement<long>(value(), model), unit, description);
}
