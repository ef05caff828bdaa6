using DeltaKV.Gpu;
using DeltaKV.Kernels.Sampling;
using DeltaKV.Model;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>Times a decode step as the engine runs it: one graph from token ids to token ids, the most likely token fed back.</summary>
internal sealed class DecodeBenchmark(BenchModel model, int chunk, int samples, double copyGigabytesPerSecond)
{
    private const int Warmups = 3;

    internal DecodeRow Measure(BenchSize size, CancellationToken cancellation)
    {
        var stream = model.Stream;
        var accelerator = model.Accelerator;
        var rows = DecodeGraphs.Bucket(size.Batch);
        using var cache = new BenchCache(model, size, chunk);
        using var inputs = new StepInputs(accelerator, rows, rows, size.Batch, size.Context);
        using var transformer = new Transformer<BFloat16>(accelerator, model.Config, model.Weights, model.Kernels, cache.Layers, rows, rows);
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
        Step();
        stream.Synchronize();
        cancellation.ThrowIfCancellationRequested();
        stream.BeginCapture();
        Step();
        using var graph = stream.EndCapture();
        graph.Instantiate();
        var ms = new EventTimer(stream).MedianMs(Warmups, samples, () => graph.Launch(stream), cancellation);
        return DecodeRow.Of(size, ms, BytesPerStep(size, cache), copyGigabytesPerSecond, KvBytes(cache), model.Config.KvBytesPerToken, accelerator.AllocatedBytes);

        void Step()
        {
            var logits = transformer.Forward(stream, inputs);
            var vocabulary = model.Config.VocabularySize;
            sampler.Launch(stream, logits, samplingRows.View, default, default, inputs.Tokens, rows, vocabulary);
        }
    }

    /// <summary>What must be read: the weights once, and what is kept of every token of every sequence (a method that selects reads less).</summary>
    private long BytesPerStep(BenchSize size, BenchCache cache) =>
        model.BytesReadPerStep + (model.Method is null ? (long)size.Batch * size.Context * model.Config.KvBytesPerToken : KvBytes(cache));

    private static long KvBytes(BenchCache cache) => cache.Usage.TotalBytes;
}
