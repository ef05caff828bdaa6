using DeltaKV.Cache;
using DeltaKV.Engine;
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
    private bool interrupted;

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
        sampler = new TokenSampler(device.Accelerator, config.VocabularySize, logitRows, sequences);
        steps = new SequenceStep[sequences];
        tokens = new int[sequences];
    }

    public IKvCache Cache => device.Layers.Cache;

    public ReadOnlySpan<int> Forward(ScheduledBatch batch)
    {
        if (interrupted)
        {
            // What the last step enqueued may still read the staging memory, and how far its sampling came is not known.
            device.Stream.Synchronize();
            sampler.Forget();
        }

        interrupted = true;
        Run(batch);
        interrupted = false;
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

    private void Run(ScheduledBatch batch)
    {
        Stage(batch);
        var stream = device.Stream;
        device.Layers.Prepare(stream, steps.AsSpan(0, batch.Count));
        var decodesOnly = batch.DecodeCount == batch.Count;
        if (decodesOnly)
            inputs.PadDecode(DecodeGraphs.Bucket(batch.Count));
        inputs.Upload(stream);
        sampler.Stage(stream, batch, inputs.LogitCount);

        if (!decodesOnly || !device.Layers.MayReplay)
            Step(batch);
        else if (!graphs.TryReplay(inputs.LogitCount, device.Layers.Variant))
            graphs.RunAndCapture(inputs.LogitCount, device.Layers.Variant, () => Step());
        sampler.Read(stream, batch, tokens);
    }

    private void Step(ScheduledBatch? batch = null) =>
        sampler.Enqueue(device.Stream, transformer.Forward(device.Stream, inputs, batch), inputs.LogitCount);

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
            if (TokenSampler.HasLogits(batch, i))
                inputs.AddLogits(row - 1);
        }
    }
}
