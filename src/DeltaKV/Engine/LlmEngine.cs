using System.Runtime.CompilerServices;
using DeltaKV.Gpu;
using DeltaKV.Model;
using DeltaKV.Tokenization;
using DeltaKV.Weights;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeltaKV.Engine;

/// <summary>A loaded model that generates text for many callers at once. Thread-safe.</summary>
public sealed class LlmEngine : IDisposable, IAsyncDisposable
{
    private readonly EngineLoop loop;
    private readonly EngineMetrics metrics;

    /// <summary>Starts an engine over a model that is on its device already; the engine owns the runner.</summary>
    internal LlmEngine(string directory, ModelConfig config, GenerationDefaults defaults, Tokenizer tokenizer, MemoryPlan plan, EngineOptions options, IModelRunner runner)
    {
        ModelDirectory = Path.GetFullPath(directory);
        ModelName = Weights.ModelDirectory.NameOf(directory);
        Config = config;
        Defaults = defaults;
        Tokenizer = tokenizer;
        Plan = plan;
        Options = options;
        DefaultSampling = SamplingDefaults.From(defaults);
        var logger = (options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger<LlmEngine>();
        metrics = new EngineMetrics(ModelName);
        loop = new EngineLoop(runner, options.MaxSequences, options.MaxBatchTokens, logger, metrics.RecordEnd);
        metrics.Observe(loop.Load);
    }

    /// <summary>Name of the model: that of its directory.</summary>
    public string ModelName { get; }

    /// <summary>Where the model was loaded from.</summary>
    public string ModelDirectory { get; }

    /// <summary>The architecture.</summary>
    public ModelConfig Config { get; }

    /// <summary>What the model recommends for generation.</summary>
    public GenerationDefaults Defaults { get; }

    /// <summary>The tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>What went where in device memory.</summary>
    public MemoryPlan Plan { get; }

    /// <summary>The options it was loaded with.</summary>
    public EngineOptions Options { get; }

    /// <summary>What is used when a request brings no options: the model's recommendation, else greedy.</summary>
    public SamplingOptions DefaultSampling { get; }

    /// <summary>Longest context of one sequence, prompt and answer together.</summary>
    public int MaxModelLength => Plan.MaxModelLength;

    internal EngineLoad Load => loop.Load;

    /// <summary>Opens a device, plans its memory and puts a model on it.</summary>
    /// <param name="directory">A Hugging Face model directory: config.json, tokenizer.json, *.safetensors.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="progress">Told of the memory plan first, then of every chunk of weights.</param>
    /// <param name="cancellationToken">Stops loading; nothing stays allocated.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such directory.</exception>
    /// <exception cref="ModelFormatException">A file is missing, corrupt, or of a model this engine does not run.</exception>
    /// <exception cref="FileNotFoundException">There is no tokenizer.json, or a file that <see cref="EngineOptions.KvMethod"/> names or needs.</exception>
    /// <exception cref="TokenizerFormatException">The tokenizer is corrupt, or of a kind that is not supported.</exception>
    /// <exception cref="ArgumentException">There is no such key/value method or setting, or the context is longer than the model's.</exception>
    /// <exception cref="NotSupportedException">The key/value method cannot keep this model's heads.</exception>
    /// <exception cref="Compression.DeltaKv.CodecMismatchException">The key/value method's codec is corrupt, or another model's.</exception>
    /// <exception cref="InsufficientDeviceMemoryException">The model does not fit.</exception>
    /// <exception cref="CudaUnavailableException">A GPU was asked for by name and there is none to be had.</exception>
    public static Task<LlmEngine> LoadAsync(
        string directory, EngineOptions? options = null, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        options ??= new EngineOptions();
        return Task.Run(
            () =>
            {
                using var factory = new DeviceRunnerFactory(options);
                return LoadCore(directory, options, factory, progress, cancellationToken);
            },
            cancellationToken);
    }

    /// <summary>Generates text after a prompt, token by token. Special tokens the model expects around a text are added.</summary>
    /// <param name="prompt">The text to continue.</param>
    /// <param name="sampling">How tokens are chosen; null for <see cref="DefaultSampling"/>.</param>
    /// <param name="cancellationToken">Stops the generation, as leaving the loop does; what was computed stays for prompts that begin alike.</param>
    /// <exception cref="ArgumentException">The prompt is empty.</exception>
    /// <exception cref="ContextOverflowException">The prompt leaves no room for an answer.</exception>
    /// <exception cref="ObjectDisposedException">While reading: the engine was disposed.</exception>
    /// <exception cref="OperationCanceledException">While reading: it was stopped.</exception>
    public IAsyncEnumerable<GenerationUpdate> GenerateAsync(string prompt, SamplingOptions? sampling = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return GenerateAsync(Tokenizer.Encode(prompt, addSpecialTokens: true), sampling, cancellationToken);
    }

    /// <summary>Generates after token ids, which are taken as they are.</summary>
    /// <inheritdoc cref="GenerateAsync(string, SamplingOptions?, CancellationToken)"/>
    /// <param name="promptTokens">What to continue.</param>
    /// <param name="sampling">How tokens are chosen; null for <see cref="DefaultSampling"/>.</param>
    /// <param name="cancellationToken">Stops the generation.</param>
    public IAsyncEnumerable<GenerationUpdate> GenerateAsync(
        ReadOnlyMemory<int> promptTokens, SamplingOptions? sampling = null, CancellationToken cancellationToken = default)
    {
        sampling ??= DefaultSampling;
        Check(promptTokens.Span, sampling);
        return Stream(promptTokens, sampling, cancellationToken);
    }

    /// <summary>Generates to the end.</summary>
    /// <inheritdoc cref="GenerateAsync(string, SamplingOptions?, CancellationToken)"/>
    public Task<GenerationResult> CompleteAsync(string prompt, SamplingOptions? sampling = null, CancellationToken cancellationToken = default) =>
        GenerationCollector.CollectAsync(GenerateAsync(prompt, sampling, cancellationToken));

    /// <summary>Generates to the end after token ids.</summary>
    /// <inheritdoc cref="GenerateAsync(ReadOnlyMemory{int}, SamplingOptions?, CancellationToken)"/>
    public Task<GenerationResult> CompleteAsync(
        ReadOnlyMemory<int> promptTokens, SamplingOptions? sampling = null, CancellationToken cancellationToken = default) =>
        GenerationCollector.CollectAsync(GenerateAsync(promptTokens, sampling, cancellationToken));

    /// <summary>Generates for many prompts together; results come in the order of the prompts. If one fails, all end.</summary>
    /// <inheritdoc cref="GenerateAsync(string, SamplingOptions?, CancellationToken)" path="/exception"/>
    public async Task<IReadOnlyList<GenerationResult>> GenerateBatchAsync(
        IEnumerable<string> prompts, SamplingOptions? sampling = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        return await GenerationCollector.CollectAllAsync(
            together => prompts.Select(prompt => GenerateAsync(prompt, sampling, together)), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends all generations with <see cref="ObjectDisposedException"/> after the step under way, and frees the device.</summary>
    public void Dispose()
    {
        loop.Dispose();
        metrics.Dispose();
    }

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
    {
        loop.RequestStop();
        await Task.Run(Dispose).ConfigureAwait(false);
    }

    /// <summary>Loads a model with the given device.</summary>
    internal static Task<LlmEngine> LoadAsync(
        string directory, EngineOptions options, IModelRunnerFactory factory, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        return Task.Run(() => LoadCore(directory, options, factory, progress, cancellationToken), cancellationToken);
    }

    private static LlmEngine LoadCore(
        string directory, EngineOptions options, IModelRunnerFactory factory, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        // What is cheap to check comes first: nothing is uploaded for a model that then turns out not to run.
        var config = ModelConfig.Load(directory);
        var defaults = GenerationDefaults.Load(directory, config);
        var tokenizer = Tokenizer.Load(directory);
        using var weights = ModelWeights.Open(directory);
        var plan = factory.Plan(config, weights, options);
        progress?.Report(new LoadProgress("Loading weights", 0, plan.WeightBytes, plan));
        var runner = factory.Create(config, weights, plan, options, progress, cancellationToken);
        progress?.Report(new LoadProgress("Ready", plan.WeightBytes, plan.WeightBytes, plan));
        return new LlmEngine(directory, config, defaults, tokenizer, plan, options, runner);
    }

    private void Check(ReadOnlySpan<int> prompt, SamplingOptions sampling)
    {
        if (prompt.IsEmpty)
            throw new ArgumentException("The prompt has no tokens.", nameof(prompt));
        foreach (var token in prompt)
            CheckToken(token, nameof(prompt));
        foreach (var token in sampling.LogitBias.Keys)
            CheckToken(token, nameof(sampling));
        if (prompt.Length >= MaxModelLength)
            throw new ContextOverflowException(prompt.Length, MaxModelLength);
    }

    private void CheckToken(int token, string parameter)
    {
        if ((uint)token >= (uint)Config.VocabularySize)
            throw new ArgumentOutOfRangeException(parameter, token, $"Token {token} is outside the vocabulary of {Config.VocabularySize}.");
    }

    private async IAsyncEnumerable<GenerationUpdate> Stream(
        ReadOnlyMemory<int> prompt, SamplingOptions sampling, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var maxTokens = Math.Min(sampling.MaxTokens ?? int.MaxValue, MaxModelLength - prompt.Length);
        // Two views of one text: the engine's decides when to stop, the caller's is cut the same way on the caller's thread.
        var stops = sampling.StopSequences.IsEmpty ? null : new TextStream(Tokenizer, sampling.StopSequences);
        var text = new TextStream(Tokenizer, sampling.StopSequences);
        var sequence = new Sequence(prompt.Span, sampling, maxTokens, Defaults.EosTokenIds, stops);
        loop.Submit(sequence);
        try
        {
            await foreach (var generated in sequence.Events.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                // The channel alone would first hand out what it has buffered.
                cancellationToken.ThrowIfCancellationRequested();
                yield return ToUpdate(sequence, generated, text);
            }
        }
        finally
        {
            if (sequence.Finish is null)
                loop.Cancel(sequence);
        }
    }

    private static GenerationUpdate ToUpdate(Sequence sequence, SequenceEvent generated, TextStream text)
    {
        var piece = generated.Finish == FinishReason.EndOfText ? "" : text.Append(generated.Token);
        if (generated.Finish is not { } reason)
            return new GenerationUpdate(generated.Token, piece);
        if (reason != FinishReason.StopSequence)
            piece += text.Flush();
        return new GenerationUpdate(generated.Token, piece, reason, sequence.Statistics);
    }
}
