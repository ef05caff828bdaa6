using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace DeltaKV.Engine;

/// <summary>The thread that steps the model: takes requests in, computes batch after batch, sleeps when there is nothing to do.</summary>
internal sealed partial class EngineLoop : IDisposable
{
    private readonly IModelRunner runner;
    private readonly Scheduler scheduler;
    private readonly ILogger logger;
    private readonly ScheduledBatch single = new(1);
    private readonly ConcurrentQueue<Sequence> inbox = new();
    private readonly AutoResetEvent wake = new(false);
    private readonly Lock gate = new();
    private readonly Thread thread;
    private Exception? stopped;

    internal EngineLoop(IModelRunner runner, int maxSequences, int maxBatchTokens, ILogger logger, Action<Sequence>? onEnded = null)
    {
        this.runner = runner;
        this.logger = logger;
        scheduler = new Scheduler(runner.Cache, maxSequences, maxBatchTokens, onEnded);
        thread = new Thread(Run) { IsBackground = true, Name = "DeltaKV engine" };
        thread.Start();
    }

    internal EngineLoad Load { get; } = new();

    /// <summary>Hands a sequence to the engine.</summary>
    internal void Submit(Sequence sequence)
    {
        lock (gate)
        {
            if (stopped is not null)
                throw stopped as ObjectDisposedException ?? new InvalidOperationException("The engine has stopped after an error.", stopped) as Exception;
            inbox.Enqueue(sequence);
            wake.Set();
        }
    }

    /// <summary>From any thread: the sequence is not wanted any more.</summary>
    internal void Cancel(Sequence sequence)
    {
        sequence.Cancel();
        lock (gate)
        {
            if (stopped is null)
                wake.Set();
        }
    }

    /// <summary>Takes nothing more in and stops after the step under way; returns at once.</summary>
    internal void RequestStop() => Stop(new ObjectDisposedException(nameof(LlmEngine), "The engine was disposed before the answer was complete."));

    /// <summary>Finishes the step under way, ends all sequences with <see cref="ObjectDisposedException"/>, and releases the model.</summary>
    public void Dispose()
    {
        RequestStop();
        if (Thread.CurrentThread != thread)
            thread.Join();
    }

    private void Run()
    {
        try
        {
            while (Volatile.Read(ref stopped) is null)
            {
                Receive();
                Step();
            }
        }
        catch (Exception error)
        {
            // Not an error of one step, which Step handles, but of the bookkeeping: no sequence can be trusted any more.
            LogStopped(error);
            Stop(error);
        }
        // Nothing enters the inbox once `stopped` is set.
        Receive();
        scheduler.FailAll(stopped!);
        Publish(0);
        runner.Dispose();
        lock (gate)
            wake.Dispose();
    }

    private void Stop(Exception reason)
    {
        lock (gate)
        {
            if (stopped is not null)
                return;
            Volatile.Write(ref stopped, reason);
            wake.Set();
        }
    }

    private void Receive()
    {
        while (inbox.TryDequeue(out var sequence))
            scheduler.Add(sequence);
    }

    private void Step()
    {
        var batch = scheduler.Next();
        if (batch.Count == 0)
        {
            Wait();
            return;
        }

        ReadOnlySpan<int> tokens;
        try
        {
            tokens = runner.Forward(batch);
        }
        catch (OperationCanceledException) when (batch.IsAbandoned)
        {
            // The scheduler drops these sequences before it plans the next batch.
            return;
        }
        catch (Exception error)
        {
            Isolate(batch, error);
            return;
        }
        scheduler.Commit(batch, tokens);
        Publish(batch.TokenCount);
    }

    /// <summary>A batch failed: computes its sequences one by one, so that only those fail that cannot be computed.</summary>
    private void Isolate(ScheduledBatch batch, Exception error)
    {
        LogStepFailed(batch.Count, error);
        if (batch.Count == 1)
        {
            scheduler.Fail(batch.Entries[0].Sequence, error);
            return;
        }
        for (var i = 0; i < batch.Count; i++)
        {
            var entry = batch.Entries[i];
            if (entry.Sequence.IsCancelled)
                continue;
            single.Clear();
            single.Add(entry);
            ReadOnlySpan<int> tokens;
            try
            {
                tokens = runner.Forward(single);
            }
            catch (Exception own)
            {
                scheduler.Fail(entry.Sequence, own);
                continue;
            }
            scheduler.Commit(single, tokens);
        }
        single.Clear();
        Publish(batch.TokenCount);
    }

    private void Wait()
    {
        Publish(0);
        if (scheduler.Stuck is { } stuck)
            scheduler.Fail(stuck, scheduler.TooLarge(stuck));
        else if (!scheduler.HasWork)
            wake.WaitOne();
    }

    private void Publish(int tokens) => Load.Publish(scheduler, runner.Cache.Usage, tokens);

    [LoggerMessage(Level = LogLevel.Error, Message = "A step over {Sequences} sequences failed")]
    private partial void LogStepFailed(int sequences, Exception error);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The engine has stopped")]
    private partial void LogStopped(Exception error);
}
