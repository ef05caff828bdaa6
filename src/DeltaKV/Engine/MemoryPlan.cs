using System.Globalization;
using DeltaKV.Kernels.Attention;
using DeltaKV.Weights;

namespace DeltaKV.Engine;

/// <summary>What goes where in device memory, known before anything is loaded.</summary>
public sealed record MemoryPlan
{
    /// <summary>Name of the device.</summary>
    public required string Device { get; init; }

    /// <summary>Bytes the engine may use.</summary>
    public required long BudgetBytes { get; init; }

    /// <summary>Bytes of the weights on the device.</summary>
    public required long WeightBytes { get; init; }

    /// <summary>Bytes of activations and other scratch for the largest step.</summary>
    public required long WorkspaceBytes { get; init; }

    /// <summary>Bytes of keys and values of one token over all layers, uncompressed.</summary>
    public required long KvBytesPerToken { get; init; }

    /// <summary>Tokens in a block.</summary>
    public required int BlockSize { get; init; }

    /// <summary>Blocks of the cache.</summary>
    public required int BlockCount { get; init; }

    /// <summary>Longest context of one sequence, prompt and answer together.</summary>
    public required int MaxModelLength { get; init; }

    /// <summary>Tokens the cache holds over all sequences.</summary>
    public long KvTokens => (long)BlockCount * BlockSize;

    /// <summary>Bytes of the cache.</summary>
    public long KvBytes => KvTokens * KvBytesPerToken;

    /// <summary>All bytes the engine will allocate.</summary>
    public long TotalBytes => WeightBytes + WorkspaceBytes + KvBytes;

    /// <summary>Plans the memory of a device.</summary>
    /// <param name="config">The model.</param>
    /// <param name="options">What the user asked for.</param>
    /// <param name="device">Name of the device.</param>
    /// <param name="freeBytes">Memory of the device that nobody uses.</param>
    /// <param name="weightBytes">Weights as they will be stored there.</param>
    /// <param name="workspaceBytes">Scratch of the largest step.</param>
    /// <param name="kvBytesPerToken">Keys and values of one token as they will be stored.</param>
    /// <exception cref="InsufficientDeviceMemoryException">It does not fit.</exception>
    public static MemoryPlan Create(
        ModelConfig config, EngineOptions options, string device, long freeBytes, long weightBytes, long workspaceBytes, long kvBytesPerToken)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(options);
        if (options.MaxModelLength > config.MaxPositions)
        {
            throw new ArgumentException(
                $"{nameof(EngineOptions.MaxModelLength)} is {options.MaxModelLength}, but the model was made for {config.MaxPositions} positions.", nameof(options));
        }

        var budget = (long)(freeBytes * options.MemoryShare);
        var blockBytes = KvBlockLayout.Size * kvBytesPerToken;
        var kvBytes = Math.Min(options.KvCacheBytes ?? long.MaxValue, budget - weightBytes - workspaceBytes);
        var wanted = options.MaxModelLength ?? config.MaxPositions;
        // More than every sequence at full length is never used.
        var useful = (long)options.MaxSequences * BlocksFor(wanted, KvBlockLayout.Size);
        var blocks = (int)Math.Min(Math.Min(Math.Max(kvBytes, 0) / blockBytes, useful), int.MaxValue / KvBlockLayout.Size);

        var needed = options.MaxModelLength is { } length ? BlocksFor(length, KvBlockLayout.Size) : 1;
        if (blocks < needed)
        {
            var required = weightBytes + workspaceBytes + needed * blockBytes;
            throw new InsufficientDeviceMemoryException(
                $"{device} offers {ByteCount.Text(budget)} ({options.MemoryShare:P0} of {ByteCount.Text(freeBytes)} free{(options.KvCacheBytes is { } limit ? $", cache limited to {ByteCount.Text(limit)}" : "")}), "
                + $"but weights {ByteCount.Text(weightBytes)}, workspace {ByteCount.Text(workspaceBytes)} and a cache of {needed * KvBlockLayout.Size} tokens "
                + $"({ByteCount.Text(needed * blockBytes)}) need {ByteCount.Text(required)}. Use a smaller model or context, fewer batch tokens, or more memory.",
                required, budget);
        }
        return new MemoryPlan
        {
            Device = device,
            BudgetBytes = budget,
            WeightBytes = weightBytes,
            WorkspaceBytes = workspaceBytes,
            KvBytesPerToken = kvBytesPerToken,
            BlockSize = KvBlockLayout.Size,
            BlockCount = blocks,
            MaxModelLength = (int)Math.Min(wanted, (long)blocks * KvBlockLayout.Size),
        };
    }

    /// <summary>The plan as a few lines of text.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"""
        device      {Device}, {ByteCount.Text(BudgetBytes)} usable
        weights     {ByteCount.Text(WeightBytes)}
        workspace   {ByteCount.Text(WorkspaceBytes)}
        KV cache    {ByteCount.Text(KvBytes)} = {KvTokens:N0} tokens of {KvBytesPerToken:N0} bytes, in blocks of {BlockSize}
        context     {MaxModelLength:N0} tokens per sequence, {KvTokens / (double)MaxModelLength:F1} sequences of that length
        """);

    private static long BlocksFor(int tokens, int blockSize) => ((long)tokens + blockSize - 1) / blockSize;
}
