using DeltaKV.Cache;

namespace DeltaKV.Engine;

/// <summary>Numbers of the moment, written by the engine thread after every step and read from any.</summary>
internal sealed class EngineLoad
{
    private long running;
    private long waiting;
    private long preemptions;
    private long computedTokens;
    private long kvTokens;
    private long kvBytes;
    private long kvFullBytes;

    internal long Running => Volatile.Read(ref running);

    internal long Waiting => Volatile.Read(ref waiting);

    internal long Preemptions => Volatile.Read(ref preemptions);

    /// <summary>Tokens computed since the start, recomputed ones included.</summary>
    internal long ComputedTokens => Volatile.Read(ref computedTokens);

    internal long KvTokens => Volatile.Read(ref kvTokens);

    internal long KvBytes => Volatile.Read(ref kvBytes);

    internal long KvFullBytes => Volatile.Read(ref kvFullBytes);

    internal void Publish(Scheduler scheduler, KvUsage usage, int tokens)
    {
        Volatile.Write(ref running, scheduler.RunningCount);
        Volatile.Write(ref waiting, scheduler.WaitingCount);
        Volatile.Write(ref preemptions, scheduler.Preemptions);
        Volatile.Write(ref computedTokens, computedTokens + tokens);
        Volatile.Write(ref kvTokens, usage.Tokens);
        Volatile.Write(ref kvBytes, usage.TotalBytes);
        Volatile.Write(ref kvFullBytes, usage.FullBytes);
    }
}
