using System.Globalization;
using DeltaKV.Cli.Output;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>The report as Markdown, row by row as it is measured.</summary>
internal sealed class BenchTable(TextWriter output)
{
    private bool inDecode;
    private bool inPrefill;

    internal void Begin(BenchReport report) => Write(
        $"""
        {report.Model} ({(report.RandomWeights ? "random weights" : "its weights")}, bf16, {Units.Bytes(report.WeightBytes)}) on {report.Device}, key/value method {report.KvMethod}.
        Copy bandwidth in this run: {report.CopyGigabytesPerSecond:N0} GB/s. Decode: one graph from tokens to tokens, median of {report.Samples}.
        """);

    internal void Add(DecodeRow row)
    {
        if (!inDecode)
            Write($"\n| batch x context | ms/step | tok/s | GB/step | GB/s | floor ms | share of floor | KV | of bf16 | device memory |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        inDecode = true;
        Write(
            $"| {row.Batch} x {row.Context} | {row.MsPerStep:F3} | {row.TokensPerSecond:F1} | {row.BytesPerStep / 1e9:F3} | {row.GigabytesPerSecond:F0} | {row.FloorMs:F3} | {row.ShareOfFloor:P1} | {Units.Bytes(row.KvBytes)} | {row.KvRatio:P1} | {Units.Bytes(row.DeviceBytes)} |");
        if (row.Parts.Count > 0)
            Write($"\n| part of the step | layers | ms | share |\n|---|---:|---:|---:|");
        foreach (var part in row.Parts)
            Write($"| {part.Name} | {part.Layers} | {part.Ms:F3} | {part.Share:P1} |");
        inDecode = row.Parts.Count == 0;
    }

    internal void Add(PrefillRow row)
    {
        if (!inPrefill)
            Write($"\n| prompt | chunk | ms | compression ms | share | tok/s | TFLOP/s | device memory |\n|---|---:|---:|---:|---:|---:|---:|---:|");
        inPrefill = true;
        Write($"| {row.Length} | {row.Chunk} | {row.Ms:F1} | {row.CompressionMs:F1} | {row.CompressionShare:P1} | {row.TokensPerSecond:F0} | {row.TeraflopsPerSecond:F2} | {Units.Bytes(row.DeviceBytes)} |");
    }

    private void Write(FormattableString line)
    {
        output.WriteLine(line.ToString(CultureInfo.InvariantCulture));
        output.Flush();
    }
}
