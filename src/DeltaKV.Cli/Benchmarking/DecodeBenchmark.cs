using DeltaKV.Cache;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Sampling;
using DeltaKV.Model;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>Times a decode step as the engine runs it: one graph from token ids to token ids, the most likely token fed back.</summary>
internal sealed class DecodeBenchmark(BenchModel model, int chunk, int samples, double copyGigabytesPerSecond, bool profile)
{
    private const int Warmups = 3;

    internal DecodeRow Measure(BenchSize size, CancellationToken cancellation)
    {
        var stream = model.Stream;
        var accelerator = model.Accelerator;
        var rows = DecodeGraphs.Bucket(size.Batch);
        using var cache = new BenchCache(model, size, chunk);
        using var inputs = new StepInputs(accelerator, rows, rows, size.Batch, size.Context);
        using var samplingRows = accelerator.Allocate1D(new SamplingRow[rows]);
        var sampler = new SamplingKernel(accelerator);

        inputs.Clear();
        for (var i = 0; i < size.Batch; i++)
        {
            inputs.Add(i, [i % model.Config.VocabularySize], size.Context - 1, isDecode: true);
            inputs.AddLogits(i);
        }

        inputs.PadDecode(rows);
        cache.Fill(size.Context - 1, chunk);
        cache.Reserve(1);
        inputs.Upload(stream);
        var ms = Measure(cache.Layers);
        var row = DecodeRow.Of(size, ms, BytesPerStep(size, cache), copyGigabytesPerSecond, KvBytes(cache), model.Config.KvBytesPerToken, accelerator.AllocatedBytes);
        return profile ? row with { Parts = Parts(ms) } : row;

        double Measure(IKvLayers<BFloat16> layers)
        {
            using var transformer = new Transformer<BFloat16>(accelerator, model.Config, model.Weights, model.Kernels, layers, rows, rows);
            Step(transformer);
            stream.Synchronize();
            cancellation.ThrowIfCancellationRequested();
            stream.BeginCapture();
            Step(transformer);
            using var graph = stream.EndCapture();
            graph.Instantiate();
            return new EventTimer(stream).MedianMs(Warmups, samples, () => graph.Launch(stream), cancellation);
        }

        void Step(Transformer<BFloat16> transformer)
        {
            var logits = transformer.Forward(stream, inputs);
            sampler.Launch(stream, logits, samplingRows.View, default, default, inputs.Tokens, rows, model.Config.VocabularySize);
        }

        List<StepPart> Parts(double whole)
        {
            var kinds = LayerKinds.Of(model.Method, model.Config.LayerCount);
            var rest = Measure(new PartialLayers(cache.Layers, _ => false));
            List<StepPart> parts = [new("matrix products, norms, sampling", model.Config.LayerCount, rest, rest / whole)];
            foreach (var kind in kinds.Distinct())
            {
                var part = whole - Measure(new PartialLayers(cache.Layers, layer => kinds[layer] != kind));
                parts.Add(new StepPart(kind, kinds.Count(other => other == kind), part, part / whole));
            }

            // What overlaps with nothing, or with more than one part.
            var sum = parts.Sum(part => part.Ms);
            parts.Add(new StepPart("gaps less overlaps", 0, whole - sum, 1 - (sum / whole)));
            return parts;
        }
    }

    /// <summary>What must be read: the weights once, and what is kept of every token of every sequence (a method that selects reads less).</summary>
    private long BytesPerStep(BenchSize size, BenchCache cache) =>
        model.BytesReadPerStep + (model.Method is null ? (long)size.Batch * size.Context * model.Config.KvBytesPerToken : KvBytes(cache));

    private static long KvBytes(BenchCache cache) => cache.Usage.TotalBytes;
}
