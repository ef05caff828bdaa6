using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Model;
using DeltaKV.Weights;

namespace DeltaKV.Evaluation;

/// <summary>Puts a model with one method after the other on one device: kernels are loaded once, and targets may run side by side, each on a stream of its own.</summary>
internal sealed class DeviceTargets : IDisposable
{
    /// <summary>An answer may run a little beyond its document before it is cut off.</summary>
    private const int Overrun = 16;

    private readonly string directory;
    private readonly EngineOptions options;
    private readonly Context context;
    private readonly Accelerator accelerator;

    /// <summary>Opens the device.</summary>
    /// <param name="directory">The model directory.</param>
    /// <param name="options">Device, chunk, answers at once, and the share of memory that all targets together may take.</param>
    /// <param name="longest">Tokens of the longest document.</param>
    /// <param name="parallel">How many targets are open at once.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such directory.</exception>
    /// <exception cref="EvaluationException">The model was not made for such documents.</exception>
    internal DeviceTargets(string directory, EngineOptions options, int longest, int parallel)
    {
        this.directory = directory;
        var config = ModelConfig.Load(directory);
        if (longest > config.MaxPositions)
            throw new EvaluationException($"Documents of {longest} tokens do not fit: the model was made for {config.MaxPositions} positions. Ask for shorter ones.");
        this.options = options with { MaxModelLength = Math.Min(longest + Overrun, config.MaxPositions), MemoryShare = options.MemoryShare / parallel };
        Tokenizer = ModelTokenizer.Load(directory);
        context = Context.CreateDefault();
        try
        {
            accelerator = DeviceRunnerFactory.OpenAccelerator(context, options.Device);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>The model's tokenizer.</summary>
    internal IEvaluationTokenizer Tokenizer { get; }

    /// <summary>Name of the device.</summary>
    internal string Device => accelerator.Name;

    /// <summary>Refuses methods that do not exist, do not belong to the model, or do not fit, before anything is loaded.</summary>
    /// <exception cref="ArgumentException">There is no such method or setting.</exception>
    /// <exception cref="InsufficientDeviceMemoryException">It does not fit.</exception>
    internal void Check(IEnumerable<string> methods)
    {
        var config = ModelConfig.Load(directory);
        using var weights = ModelWeights.Open(directory);
        using var factory = new DeviceRunnerFactory(accelerator);
        foreach (var method in methods)
            factory.Plan(config, weights, options with { KvMethod = method });
    }

    /// <summary>Loads the model with a method.</summary>
    /// <param name="method">The method with its settings.</param>
    /// <param name="setting">Where every question is to see its own compression, nothing is kept from one to the next.</param>
    /// <param name="cancellation">Asked before every step.</param>
    internal DeviceTarget Open(string method, EvaluationSetting setting, CancellationToken cancellation = default) =>
        new(directory, options with { KvMethod = method, PrefixCaching = setting == EvaluationSetting.Agnostic }, accelerator, cancellation);

    public void Dispose()
    {
        accelerator.Dispose();
        context.Dispose();
    }
}
