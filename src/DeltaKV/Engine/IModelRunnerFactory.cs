using DeltaKV.Weights;

namespace DeltaKV.Engine;

/// <summary>Opens a device, says what fits, and puts a model on it.</summary>
internal interface IModelRunnerFactory : IDisposable
{
    /// <summary>Plans the device's memory before anything is loaded.</summary>
    /// <exception cref="InsufficientDeviceMemoryException">The model does not fit.</exception>
    MemoryPlan Plan(ModelConfig config, ModelWeights weights, EngineOptions options);

    /// <summary>Uploads the weights chunk by chunk and allocates what the plan says. The runner owns the device from then on.</summary>
    IModelRunner Create(
        ModelConfig config, ModelWeights weights, MemoryPlan plan, EngineOptions options, IProgress<LoadProgress>? progress, CancellationToken cancellationToken);
}
