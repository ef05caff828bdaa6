using DeltaKV.Cache;
using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Weights;

namespace DeltaKV.Model;

/// <summary>Runs batches on a device: stages the inputs, runs the forward pass (a step that only decodes replays a graph), samples.</summary>
/// <typeparam name="T">Storage of weights and activations.</typeparam>
internal sealed class ModelRunner<T> : IModelRunner
    where T : unmanaged
{
    private readonly ModelDevice<T> device;
    private readonly Transformer<T> transformer;
    private readonly StepInputs inputs;
    private readonly DecodeGraphs graphs;
    private readonly TokenSampler sampler;
    private readonly SequenceStep[] steps;
    private readonly int[] tokens;

    /// <summary>Takes over the device and everything on it.</summary>
    internal ModelRunner(ModelDevice<T> device, ModelConfig config, MemoryPlan plan, EngineOptions options)
    {
        this.device = device;
        var sequences = options.MaxSequences;
        // A graph's padding rows ask for logits too.
        var logitRows = DecodeGraphs.Bucket(sequences);
        var rows = Math.Max(options.MaxBatchTokens, logitRows);
        transformer = new Transformer<T>(device.Accelerator, config, device.Weights, device.Kernels, device.Layers, rows, logitRows);
        inputs = new StepInputs(device.Accelerator, rows, logitRows, sequences, plan.MaxModelLength);
        graphs = new DecodeGraphs(device.Stream);
        sampler = new TokenSampler(device.Stream, config.VocabularySize, logitRows);
        steps = new SequenceStep[sequences];
        tokens = new int[sequences];
    }

    public IKvCache Cache => device.Layers.Cache;

    public ReadOnlySpan<int> Forward(ScheduledBatch batch)
    {
        Stage(batch);
        var stream = device.Stream;
        device.Layers.Prepare(stream, steps.AsSpan(0, batch.Count));
        var decodesOnly = batch.DecodeCount == batch.Count;
        if (decodesOnly)
            inputs.PadDecode(DecodeGraphs.Bucket(batch.Count));
        inputs.Upload(stream);

        if (!decodesOnly)
            sampler.Sample(batch, transformer.Forward(stream, inputs, batch), tokens);
        else if (graphs.TryReplay(inputs.LogitCount, out var logits))
            sampler.Sample(batch, logits, tokens);
        else
            sampler.Sample(batch, graphs.RunAndCapture(inputs.LogitCount, DecodeStep), tokens);
        return tokens.AsSpan(0, batch.Count);
    }

    public void Dispose()
    {
        graphs.Dispose();
        sampler.Dispose();
        inputs.Dispose();
        transformer.Dispose();
        device.Dispose();
    }

    private ArrayView<float> DecodeStep() => transformer.Forward(device.Stream, inputs);

    private void Stage(ScheduledBatch batch)
    {
        inputs.Clear();
        var row = 0;
        for (var i = 0; i < batch.Count; i++)
        {
            var entry = batch.Entries[i];
            steps[i] = new SequenceStep(entry.Sequence.Cache, row, entry.Count);
            inputs.Add(i, entry.Tokens, entry.Start, isDecode: i < batch.DecodeCount);
            row += entry.Count;
            if (entry.Samples || i < batch.DecodeCount)
                inputs.AddLogits(row - 1);
        }
    }
}
