using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using DeltaKV.Gpu;

namespace DeltaKV.Benchmarks.Kernels;

/// <summary>Times GPU kernels by events: the median of 20 samples after 3, beside the copy bandwidth, twins and peers of the same run.</summary>
internal static class KernelBenchmark
{
    private const int Warmups = 3;
    private const int Samples = 20;
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    internal static int Run(KernelBenchmarkOptions options)
    {
        using var context = Context.Create(builder =>
        {
            builder.Default();
            if (options.Dump is not null)
                builder.NoKernelCache().DumpPtx(options.Dump);
        });
        if (context.CudaProblem is { } problem)
        {
            Console.Error.WriteLine($"The kernel table needs a GPU: {problem.Message}");
            return 1;
        }

        using var accelerator = context.GetPreferredDevice(preferCPU: false).CreateAccelerator(context);
        using var stream = accelerator.CreateStream();
        var twins = Measurements.OfTwins(options.Twins);
        var peers = Measurements.OfPeers(options.Peers);
        var copyBandwidth = 0.0;
        var rows = new List<KernelRow>();
        var failures = 0;
        IEnumerable<KernelCase> cases =
            [.. BasicCases.All(), .. LinearCases.All(), .. AttentionCases.All(), .. LayerCases.All(), .. CodedCases.All(), .. HiddenLayerCases.All(), .. KiviCases.All(), .. FlushCases.All(), .. SparseCases.All(), .. HotCases.All(), .. VariantCases.All(), .. SamplingCases.All()];
        foreach (var work in cases)
        {
            if (work.Name != BasicCases.DriverCopy && !options.Wants(work.Name))
                continue;
            try
            {
                var time = Measure(accelerator, stream, work);
                var rate = work.Operations == 0 ? work.Bytes / time / 1e3 : (double?)null;
                if (work.Name == BasicCases.DriverCopy)
                    copyBandwidth = rate!.Value;
                rows.Add(new(
                    work.Name,
                    time,
                    rate,
                    rate / copyBandwidth,
                    work.Operations > 0 ? work.Operations / time / 1e6 : null,
                    twins.TryGetValue(work.Name, out var twin) ? twin : null,
                    peers.TryGetValue(work.Name, out var peer) ? peer : null));
            }
            catch (Exception exception) when (exception is not OutOfMemoryException && !accelerator.IsLost)
            {
                Console.Error.WriteLine($"{work.Name}: {exception}");
                failures++;
            }
        }

        var table = Table(accelerator.Name, rows);
        Console.WriteLine(table);
        if (options.Output is not null)
        {
            Directory.CreateDirectory(options.Output);
            File.WriteAllText(Path.Combine(options.Output, "kernels.md"), table);
            File.WriteAllText(Path.Combine(options.Output, "kernels.json"), JsonSerializer.Serialize(new { device = accelerator.Name, rows }, Json));
        }

        return failures == 0 ? 0 : 1;
    }

    private static double Measure(Accelerator accelerator, AcceleratorStream stream, KernelCase work)
    {
        using var arena = new Arena(accelerator, stream);
        var clock = Stopwatch.StartNew();
        var launch = work.Prepare(arena);
        launch(0);
        stream.Synchronize();
        Console.Error.WriteLine($"{work.Name}: ready after {clock.ElapsedMilliseconds} ms");
        using var start = accelerator.CreateEvent();
        using var stop = accelerator.CreateEvent();
        var times = new List<double>();
        var number = 0;
        for (var sample = -Warmups; sample < Samples; sample++)
        {
            stream.Record(start);
            for (var i = 0; i < work.Repeat; i++)
                launch(number++);
            stream.Record(stop);
            stop.Synchronize();
            if (sample >= 0)
                times.Add(stop.ElapsedSince(start).TotalMicroseconds / work.Repeat);
        }

        times.Sort();
        return (times[(Samples / 2) - 1] + times[Samples / 2]) / 2;
    }

    private static string Table(string device, List<KernelRow> rows)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"Kernels on {device}: median of {Samples}.").AppendLine();
        text.AppendLine("| kernel | us | GB/s | of copy | TFLOP/s | twin us | of twin | peer us | of peer |");
        text.AppendLine("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
        foreach (var row in rows)
        {
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {row.Name} | {row.Microseconds:f1} | {row.GigabytesPerSecond:f0} | {row.ShareOfCopy:f3} | {row.TeraflopsPerSecond:f0} | {row.TwinMicroseconds:f1} | {row.RatioToTwin:f3} | {row.PeerMicroseconds:f1} | {row.RatioToPeer:f3} |");
        }

        return text.ToString();
    }
}
