using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Model;
using DeltaKV.Weights;

namespace DeltaKV.Evaluation;

/// <summary>A model directory on a device with a key/value method, one sequence at a time, as the engine runs it: prompts in chunks, compression after every step.</summary>
internal sealed class DeviceTarget : IEvaluationTarget
{
    /// <summary>Room for a turn and its answer.</summary>
    private const int AnswerRoom = 512;

    private readonly ModelWeights weights;
    private readonly MemoryPlan plan;
    private readonly ModelDevice<BFloat16> device;

    /// <summary>Loads the model.</summary>
    /// <param name="directory">The model directory.</param>
    /// <param name="options">Device, method, chunk (<see cref="EngineOptions.MaxBatchTokens"/>) and longest sequence.</param>
    internal DeviceTarget(string directory, EngineOptions options)
    {
        var config = ModelConfig.Load(directory);
        Tokenizer = ModelTokenizer.Load(directory);
        weights = ModelWeights.Open(directory);
        using var factory = new DeviceRunnerFactory(options);
        plan = factory.Plan(config, weights, options);
        device = factory.OpenModel(config, weights, plan, options);
        Session = new DeviceSession(device, config, GenerationDefaults.Load(directory, config).EosTokenIds, plan.MaxModelLength, options.MaxBatchTokens);
    }

    public IEvaluationTokenizer Tokenizer { get; }

    /// <summary>What runs the steps.</summary>
    internal DeviceSession Session { get; }

    public void EnsureFits(int tokens)
    {
        if (tokens + AnswerRoom > plan.MaxModelLength)
        {
            throw new EvaluationException(
                $"Documents of {tokens} tokens and {AnswerRoom} for a question do not fit: one sequence holds {plan.MaxModelLength} on {plan.Device}. "
                + "Ask for shorter documents, or free memory.");
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
