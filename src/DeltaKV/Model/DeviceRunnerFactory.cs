using DeltaKV.Cache;
using DeltaKV.Compression;
using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;
using DeltaKV.Weights;

namespace DeltaKV.Model;

/// <summary>Opens the device the options ask for and puts a model on it.</summary>
internal sealed class DeviceRunnerFactory : IModelRunnerFactory
{
    /// <summary>Room that compressed methods may take to reconstruct a layer of a prompt.</summary>
    private const long MaxScratchBytes = 256 << 20;

    private Context? context;
    private Accelerator? accelerator;

    /// <summary>Uses a device that belongs to someone else, who outlives everything opened here.</summary>
    internal DeviceRunnerFactory(Accelerator shared) => accelerator = shared;

    /// <summary>Opens the device.</summary>
    /// <exception cref="CudaUnavailableException">A GPU was asked for by name and there is none to be had.</exception>
    internal DeviceRunnerFactory(EngineOptions options)
    {
        context = Context.CreateDefault();
        try
        {
            accelerator = OpenAccelerator(context, options.Device);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    private Accelerator Accelerator => accelerator ?? throw new InvalidOperationException("The device belongs to a runner already.");

    public MemoryPlan Plan(ModelConfig config, ModelWeights weights, EngineOptions options) =>
        options.Precision == ModelPrecision.FullPrecision
            ? Plan<float>(config, options, Method(config, weights, options))
            : Plan<BFloat16>(config, options, Method(config, weights, options));

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
        if (context is null)
            return;
        accelerator?.Dispose();
        context.Dispose();
    }

    /// <summary>Opens the device of a context that holds all of them.</summary>
    /// <exception cref="CudaUnavailableException">A GPU was asked for by name and there is none to be had.</exception>
    internal static Accelerator OpenAccelerator(Context context, ComputeDevice device) => device switch
    {
        ComputeDevice.Cuda when context.CudaProblem is { } problem => throw problem,
        ComputeDevice.Cuda => context.CreateCudaAccelerator(0),
        _ => context.GetPreferredDevice(preferCPU: device == ComputeDevice.Cpu).CreateAccelerator(context),
    };

    private static AttentionShape Shape(ModelConfig config) => new(config.HeadCount, config.KeyValueHeadCount, config.HeadDim);

    private static IKvMethod? Method(ModelConfig config, ModelWeights weights, EngineOptions options)
    {
        var isFullPrecision = options.Precision == ModelPrecision.FullPrecision;
        if (isFullPrecision && options.KvMethod == KvMethods.Auto)
            return null;
        var method = KvMethods.Resolve(options.KvMethod, config, weights);
        return method is null || !isFullPrecision
            ? method
            : throw new NotSupportedException($"The key/value method '{options.KvMethod}' needs bf16; full precision checks the uncompressed cache only.");
    }

    /// <summary>What a method's buffers are sized by.</summary>
    internal static KvLimits Limits(ModelConfig config, EngineOptions options, int maxLength)
    {
        var sequences = DecodeGraphs.Bucket(options.MaxSequences);
        var layer = (long)maxLength * config.KeyValueWidth * sizeof(ushort);
        return new KvLimits(sequences, Math.Max(options.MaxBatchTokens, sequences), maxLength, Math.Min(layer, MaxScratchBytes));
    }

    private MemoryPlan Plan<T>(ModelConfig config, EngineOptions options, IKvMethod? method)
        where T : unmanaged
    {
        var logitRows = DecodeGraphs.Bucket(options.MaxSequences);
        var workspace = Workspace<T>.Bytes(config, Math.Max(options.MaxBatchTokens, logitRows), logitRows)
            + TokenSampler.Bytes(config.VocabularySize, logitRows, options.MaxSequences);
        var kvBytesPerToken = method?.BytesPerToken ?? (long)config.LayerCount * config.KeyValueWidth * ArrayView<T>.ElementSize;
        workspace += method?.FixedBytes(Limits(config, options, options.MaxModelLength ?? config.MaxPositions)) ?? 0;
        return MemoryPlan.Create(
            config, options, Accelerator.Name, Accelerator.MemorySize - Accelerator.AllocatedBytes, DeviceWeights<T>.Elements(config) * ArrayView<T>.ElementSize, workspace, kvBytesPerToken);
    }

    private static IKvLayers<T> OpenCache<T>(
        AcceleratorStream stream,
        ModelConfig config,
        ModelWeights source,
        MemoryPlan plan,
        EngineOptions options,
        DeviceWeights<T> weights,
        ITransformerKernels<T> kernels)
        where T : unmanaged
    {
        if (Method(config, source, options) is not { } method)
            return new RawKvLayers<T>(stream, kernels, config.LayerCount, plan.BlockCount, options.MaxSequences, options.PrefixCaching);
        var limits = Limits(config, options, plan.MaxModelLength);
        // Only bf16 gets here.
        return (IKvLayers<T>)method.Open(new KvMethodContext(
            stream, config, (DeviceWeights<BFloat16>)(object)weights, (ITransformerKernels<BFloat16>)kernels,
            plan.KvBytes + method.FixedBytes(limits), limits, options.PrefixCaching));
    }

    /// <summary>Puts a bf16 model on the device without a runner, for who drives the forward pass itself. The result owns the device.</summary>
    internal ModelDevice<BFloat16> OpenModel(ModelConfig config, ModelWeights source, MemoryPlan plan, EngineOptions options)
    {
        var kernels = new BFloat16Kernels(Accelerator, Shape(config), DecodeGraphs.Bucket(options.MaxSequences));
        return Open(config, source, plan, options, kernels, null, device => device, CancellationToken.None);
    }

    private ModelRunner<T> Create<T>(
        ModelConfig config,
        ModelWeights source,
        MemoryPlan plan,
        EngineOptions options,
        ITransformerKernels<T> kernels,
        IProgress<LoadProgress>? progress,
        CancellationToken cancellation)
        where T : unmanaged =>
        Open(config, source, plan, options, kernels, progress, device => new ModelRunner<T>(device, config, plan, options), cancellation);

    private TResult Open<T, TResult>(
        ModelConfig config,
        ModelWeights source,
        MemoryPlan plan,
        EngineOptions options,
        ITransformerKernels<T> kernels,
        IProgress<LoadProgress>? progress,
        Func<ModelDevice<T>, TResult> finish,
        CancellationToken cancellation)
        where T : unmanaged
    {
        var stream = Accelerator.CreateStream();
        DeviceWeights<T>? weights = null;
        IKvLayers<T>? layers = null;
        try
        {
            weights = DeviceWeights<T>.Load(stream, config, source, plan, progress, cancellation);
            layers = OpenCache(stream, config, source, plan, options, weights, kernels);
            var result = finish(new ModelDevice<T>(context, Accelerator, stream, weights, kernels, layers));
            (context, accelerator) = (null, null);
            return result;
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
