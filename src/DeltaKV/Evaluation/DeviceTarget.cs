using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Model;
using DeltaKV.Weights;

namespace DeltaKV.Evaluation;

/// <summary>A model directory on a device with a key/value method, as the engine runs it: prompts in chunks, compression after every step, answers in batches.</summary>
internal sealed class DeviceTarget : IEvaluationTarget
{
    private readonly ModelWeights weights;
    private readonly MemoryPlan plan;
    private readonly ModelDevice<BFloat16> device;

    /// <summary>Loads the model.</summary>
    /// <param name="directory">The model directory.</param>
    /// <param name="options">
    /// Device, method, chunk (<see cref="EngineOptions.MaxBatchTokens"/>), answers at once (<see cref="EngineOptions.MaxSequences"/>) and longest sequence.
    /// </param>
    /// <param name="shared">A device that outlives this; null to open one.</param>
    /// <param name="cancellation">Asked before every step.</param>
    internal DeviceTarget(string directory, EngineOptions options, Accelerator? shared = null, CancellationToken cancellation = default)
    {
        var config = ModelConfig.Load(directory);
        Tokenizer = ModelTokenizer.Load(directory);
        weights = ModelWeights.Open(directory);
        try
        {
            using var factory = shared is null ? new DeviceRunnerFactory(options) : new DeviceRunnerFactory(shared);
            plan = factory.Plan(config, weights, options);
            device = factory.OpenModel(config, weights, plan, options);
        }
        catch
        {
            weights.Dispose();
            throw;
        }

        Session = new DeviceSession(
            device, config, GenerationDefaults.Load(directory, config).EosTokenIds, plan.MaxModelLength, options.MaxBatchTokens, options.MaxSequences)
        {
            Cancellation = cancellation,
        };
    }

    public IEvaluationTokenizer Tokenizer { get; }

    /// <summary>What runs the steps.</summary>
    internal DeviceSession Session { get; }

    public void EnsureFits(int tokens)
    {
        if (tokens > plan.MaxModelLength)
        {
            throw new EvaluationException(
                $"Documents of {tokens} tokens do not fit: one sequence holds {plan.MaxModelLength} on {plan.Device}. Ask for shorter documents, or free memory.");
        }
    }

    public IEvaluationContext Start(ReadOnlySpan<int> context) => new DeviceContext(Session, context);

    public void Dispose()
    {
        Session.Dispose();
        device.Dispose();
        weights.Dispose();
    }
}
