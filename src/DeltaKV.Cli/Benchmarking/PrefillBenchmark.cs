using DeltaKV.Gpu;
using DeltaKV.Model;
using DeltaKV.Weights;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>Times a prompt as the engine computes it: chunk after chunk, waiting for each before the next is staged, compressing as it goes.</summary>
internal sealed class PrefillBenchmark(BenchModel model, int chunk, int samples)
{
    internal PrefillRow Measure(int length, CancellationToken cancellation)
    {
        var stream = model.Stream;
        var accelerator = model.Accelerator;
        var rows = Math.Min(chunk, length);
        using var cache = new BenchCache(model, new BenchSize(1, length), rows);
        using var inputs = new StepInputs(accelerator, rows, 1, 1, length);
        using var transformer = new Transformer<BFloat16>(accelerator, model.Config, model.Weights, model.Kernels, cache.Layers, rows, 1);
        var tokens = new int[length];
        for (var i = 0; i < length; i++)
            tokens[i] = (int)(i * 2654435761L % model.Config.VocabularySize);

        // Two chunks have loaded most kernels, and a long prompt outweighs the others.
        using (var warmup = new SpanTimer(stream))
            Prompt(Math.Min(2 * rows, length), warmup);
        using var compression = new SpanTimer(stream);
        var ms = new EventTimer(stream).MedianMs(0, samples, () => Prompt(length, compression), cancellation);
        return PrefillRow.Of(length, rows, ms, compression.TotalMs / samples, Operations(model.Config, length), accelerator.AllocatedBytes);

        void Prompt(int count, SpanTimer compressing)
        {
            cache.Begin();
            for (var start = 0; start < count; start += rows)
            {
                cancellation.ThrowIfCancellationRequested();
                var end = Math.Min(start + rows, count);
                inputs.Clear();
                inputs.Add(0, tokens.AsSpan(start..end), start, isDecode: end - start == 1);
                if (end == count)
                    inputs.AddLogits(end - start - 1);
                cache.Reserve(end - start);
                inputs.Upload(stream);
                transformer.Forward(stream, inputs);
                stream.Synchronize();
                compressing.Measure(cache.Commit);
            }

            while (!cache.Probe.IsEmpty)
            {
                cancellation.ThrowIfCancellationRequested();
                var probed = Math.Min(rows, cache.Probe.Length);
                inputs.Clear();
                inputs.Add(0, cache.Probe[..probed], cache.ProbePosition, isDecode: probed == 1);
                inputs.AddLogits(probed - 1);
                cache.ReserveProbe(probed);
                inputs.Upload(stream);
                transformer.Forward(stream, inputs);
                stream.Synchronize();
                compressing.Measure(() => cache.CommitProbe(probed));
            }
        }
    }

    /// <summary>Multiplications and additions: two per weight and token, and causal attention.</summary>
    private static double Operations(ModelConfig config, double length)
    {
        double hidden = config.HiddenSize, queries = config.HeadCount * config.HeadDim;
        var weights = config.LayerCount * ((hidden * (queries + config.KeyValueWidth)) + (hidden * queries) + (3 * hidden * config.IntermediateSize));
        var attention = config.LayerCount * queries * length * length;
        return (2 * weights * length) + (2 * attention) + (2 * hidden * config.VocabularySize);
    }
}
