using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace DeltaKV.Engine;

/// <summary>How an engine is set up. Immutable; a value outside its range throws where it is set.</summary>
public sealed record EngineOptions
{
    /// <summary>Where the model runs.</summary>
    public ComputeDevice Device { get; init; }

    /// <summary>What the model is stored and computed in.</summary>
    public ModelPrecision Precision { get; init; }

    /// <summary>Longest context of one sequence, prompt and answer together; null for what the model was made for, as far as memory holds it.</summary>
    public int? MaxModelLength { get; init => field = value is null ? null : AtLeast(value.Value, 1); }

    /// <summary>Most sequences computed at once; others wait.</summary>
    public int MaxSequences { get; init => field = AtLeast(value, 1); } = 32;

    /// <summary>Most tokens computed in one step; raised to <see cref="MaxSequences"/> if that is more. Larger is faster on long prompts and less smooth for others.</summary>
    public int MaxBatchTokens { get => Math.Max(field, MaxSequences); init => field = AtLeast(value, 1); } = 2048;

    /// <summary>Share of the device's free memory the engine may use, above 0 up to 1.</summary>
    public double MemoryShare { get; init => field = CheckShare(value); } = 0.9;

    /// <summary>Bytes of the key/value cache; null for what is left of <see cref="MemoryShare"/>.</summary>
    public long? KvCacheBytes { get; init => field = value is null or > 0 ? value : throw new ArgumentOutOfRangeException(nameof(KvCacheBytes), value, $"KvCacheBytes is {value}, expected more than 0."); }

    /// <summary>
    /// How keys and values are kept: <c>full</c> (bf16), <c>auto</c> (<c>deltakv</c> if a codec lies beside the weights, else <c>full</c>), <c>deltakv[:codec=FILE]</c>, <c>int4</c>,
    /// <c>kivi-4</c>, <c>snapkv</c>, <c>compresskv</c> and others (docs/methods.md), or a name registered with <c>EvictionPolicies.Register</c>, with settings as
    /// <c>NAME:key=value,key=value</c>.
    /// </summary>
    public string KvMethod { get; init => field = value ?? throw new ArgumentNullException(nameof(KvMethod)); } = "full";

    /// <summary>Keep computed blocks for prompts that begin alike.</summary>
    public bool PrefixCaching { get; init; } = true;

    /// <summary>Where the engine logs; null for nowhere. Nothing is ever written to the console.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    private static int AtLeast(int value, int least, [CallerMemberName] string name = "") =>
        value >= least ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}, expected at least {least}.");

    private static double CheckShare(double value, [CallerMemberName] string name = "") => value is > 0 and <= 1
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}, expected more than 0 up to 1.");
}
