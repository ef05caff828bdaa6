using DeltaKV.Cache;
using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;
using DeltaKV.Weights;

namespace DeltaKV.Model;

/// <summary>Opens the device the options ask for and puts a model on it.</summary>
internal sealed class DeviceRunnerFactory : IModelRunnerFactory
{
    private Context? context;
    private Accelerator? accelerator;

    /// <summary>Opens the device.</summary>
    /// <exception cref="CudaUnavailableException">A GPU was asked for by name and there is none to be had.</exception>
    internal DeviceRunnerFactory(EngineOptions options)
    {
        context = Context.CreateDefault();
        try
        {
            accelerator = options.Device switch
            {
                ComputeDevice.Cuda when context.CudaProblem is { } problem => throw problem,
                ComputeDevice.Cuda => context.CreateCudaAccelerator(0),
                _ => context.GetPreferredDevice(preferCPU: options.Device == ComputeDevice.Cpu).CreateAccelerator(context),
            };
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    private Accelerator Accelerator => accelerator ?? throw new InvalidOperationException("The device belongs to a runner already.");

    public MemoryPlan Plan(ModelConfig config, ModelWeights weights, EngineOptions options) =>
        options.Precision == ModelPrecision.FullPrecision ? Plan<float>(config, options) : Plan<BFloat16>(config, options);

    public IModelRunner Create(
        ModelConfig config, ModelWeights weights, MemoryPlan plan, EngineOptions options, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        var shape = Shape(config);
        return options.Precision == ModelPrecision.FullPrecision
            ? Create(config, weights, plan, options, new SingleKernels(Accelerator, shape), progress, cancellationToken)
            : Create(config, weights, plan, options, new BFloat16Kernels(Accelerator, shape, DecodeGraphs.Bucket(options.MaxSequences)), progress, cancellationToken);
    }

    public void Dispose()
    {
        accelerator?.Dispose();
        context?.Dispose();
    }

    private static AttentionShape Shape(ModelConfig config) => new(config.HeadCount, config.KeyValueHeadCount, config.HeadDim);

    private MemoryPlan Plan<T>(ModelConfig config, EngineOptions options)
        where T : unmanaged
    {
        var logitRows = DecodeGraphs.Bucket(options.MaxSequences);
        var workspace = Workspace<T>.Bytes(config, Math.Max(options.MaxBatchTokens, logitRows), logitRows);
        var kvBytesPerToken = (long)config.LayerCount * config.KeyValueWidth * ArrayView<T>.ElementSize;
        return MemoryPlan.Create(
            config, options, Accelerator.Name, Accelerator.MemorySize - Accelerator.AllocatedBytes, DeviceWeights<T>.Elements(config) * ArrayView<T>.ElementSize, workspace, kvBytesPerToken);
    }

    private ModelRunner<T> Create<T>(
        ModelConfig config,
        ModelWeights source,
        MemoryPlan plan,
        EngineOptions options,
        ITransformerKernels<T> kernels,
        IProgress<LoadProgress>? progress,
        CancellationToken cancellation)
        where T : unmanaged
    {
        var stream = Accelerator.CreateStream();
        DeviceWeights<T>? weights = null;
        RawKvLayers<T>? layers = null;
        try
        {
            weights = DeviceWeights<T>.Load(stream, config, source, plan, progress, cancellation);
            layers = new RawKvLayers<T>(stream, kernels, config.LayerCount, plan.BlockCount, options.MaxSequences, options.PrefixCaching);
            var device = new ModelDevice<T>(context!, Accelerator, stream, weights, kernels, layers);
            var runner = new ModelRunner<T>(device, config, plan, options);
            (context, accelerator) = (null, null);
            return runner;
        }
        catch
        {
            layers?.Dispose();
            weights?.Dispose();
            kernels.Dispose();
            stream.Dispose();
            throw;
        }
    }
}
