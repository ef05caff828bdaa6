using DeltaKV.Engine;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Engine;

internal sealed class FakeRunnerFactory : IModelRunnerFactory
{
    public MemoryPlan Plan(ModelConfig config, ModelWeights weights, EngineOptions options) =>
        MemoryPlan.Create(config, options, "fake", 1L << 32, weights.ByteLength, 0, config.KvBytesPerToken);

    public IModelRunner Create(
        ModelConfig config, ModelWeights weights, MemoryPlan plan, EngineOptions options, IProgress<LoadProgress>? progress, CancellationToken cancellationToken) =>
        new HashModelRunner(plan.BlockCount, plan.BlockSize);

    public void Dispose()
    {
        // Holds no device.
    }
}
