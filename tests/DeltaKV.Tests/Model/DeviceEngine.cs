using System.Collections.Immutable;
using DeltaKV.Cache;
using DeltaKV.Engine;
using DeltaKV.Kernels.Attention;
using DeltaKV.Model;
using DeltaKV.Tests.Engine;
using DeltaKV.Tests.Support;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Model;

/// <summary>The real model runner on the device of this run, and an engine over it. Small models without a tokenizer speak needle-16m's.</summary>
internal static class DeviceEngine
{
    internal static string Fixture(string model) => RepositoryRoot.Fixture("models", model);

    internal static EngineOptions OnDevice(EngineOptions options) =>
        options with { Device = TestAccelerators.UseCuda ? ComputeDevice.Cuda : ComputeDevice.Cpu };

    internal static (IModelRunner Runner, MemoryPlan Plan) OpenRunner(string directory, EngineOptions options)
    {
        options = OnDevice(options);
        var config = ModelConfig.Load(directory);
        using var factory = new DeviceRunnerFactory(options);
        using var weights = ModelWeights.Open(directory);
        var plan = factory.Plan(config, weights, options);
        return (factory.Create(config, weights, plan, options, null, CancellationToken.None), plan);
    }

    /// <summary>An engine whose cache has that many blocks, over all sequences.</summary>
    internal static (LlmEngine Engine, PagedKvCache Cache) OpenWithBlocks(string directory, EngineOptions options, int blocks, ImmutableArray<int> eos)
    {
        var config = ModelConfig.Load(directory);
        var bytesPerElement = options.Precision == ModelPrecision.FullPrecision ? sizeof(float) : sizeof(ushort);
        var blockBytes = (long)config.LayerCount * config.KeyValueWidth * bytesPerElement * KvBlockLayout.Size;
        options = OnDevice(options with { KvCacheBytes = blocks * blockBytes });
        var (runner, plan) = OpenRunner(directory, options);
        var defaults = new GenerationDefaults { EosTokenIds = eos };
        var engine = new LlmEngine(directory, config, defaults, TestEngine.Tokenizer, plan, options, runner);
        return (engine, (PagedKvCache)runner.Cache);
    }
}
