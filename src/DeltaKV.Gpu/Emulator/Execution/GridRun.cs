using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace DeltaKV.Gpu.Emulator;

/// <summary>One launch in progress: hands its blocks to the threads that take part. Reused, so that a warm launch allocates nothing.</summary>
internal sealed unsafe class GridRun
{
    private static readonly long WorthWakingTicks = Stopwatch.Frequency / 50_000; // 20 us of work pay for a second thread
    private static GridRun? spare;

    private NativeArena parameters;
    private byte* parameterMemory;
    private PtxEntry entry = null!;
    private Program program = null!;
    private EmulatorOptions options = null!;
    private KernelConfig config;
    private long blockCount;
    private long nextBlock;
    private ExceptionDispatchInfo? failure;

    ~GridRun() => parameters.Free();

    /// <summary>Executes a grid and returns when it is done; one pointer per parameter, as for the driver's launch.</summary>
    public static void Launch(PtxEntry entry, in KernelConfig config, void** arguments, EmulatorOptions options)
    {
        if (!config.IsValid || config.GroupDim.LongSize > Block.MaxWarps * Warp.Lanes)
            throw new ArgumentException($"Kernel '{entry.Name}' cannot be launched with {config}.", nameof(config));
        var run = Interlocked.Exchange(ref spare, null) ?? new GridRun();
        try
        {
            run.Execute(entry, config, arguments, options);
        }
        finally
        {
            run.entry = null!;
            run.program = null!;
            run.options = null!;
            run.failure = null;
            spare = run;
        }
    }

    private void Execute(PtxEntry launched, in KernelConfig launchConfig, void** arguments, EmulatorOptions launchOptions)
    {
        entry = launched;
        options = launchOptions;
        program = launchOptions.Sanitize ? launched.SanitizedProgram : launched.Program;
        config = launchConfig;
        blockCount = config.GridDim.LongSize;
        nextBlock = 0;
        CopyParameters(arguments);
        var start = Stopwatch.GetTimestamp();
        if (IsWorthSharing())
            WorkerPool.Run(this, (int)Math.Min(options.Threads, blockCount));
        else
            TakePart();
        var ticks = (Stopwatch.GetTimestamp() - start) / blockCount;
        launched.BlockTicks = launched.BlockTicks < 0 ? ticks : ((3 * launched.BlockTicks) + ticks) / 4;
        failure?.Throw();
    }

    /// <summary>Executes blocks until none is left; called by every thread that takes part.</summary>
    public void TakePart()
    {
        var worker = WorkerPool.RentWorker();
        try
        {
            worker.Begin(program, config, parameterMemory, options);
            for (var index = TakeBlock(); index < blockCount; index = TakeBlock())
            {
                var (row, x) = Math.DivRem(index, config.GridDim.X);
                var (z, y) = Math.DivRem(row, config.GridDim.Y);
                worker.Run((int)x, (int)y, (int)z);
            }
        }
        catch (Exception exception)
        {
            Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(exception), null);
            Interlocked.Exchange(ref nextBlock, blockCount);
        }
        finally
        {
            WorkerPool.ReturnWorker(worker);
        }
    }

    private long TakeBlock() => Interlocked.Increment(ref nextBlock) - 1;

    private bool IsWorthSharing() =>
        options.Threads > 1 && blockCount > 1 && (entry.BlockTicks < 0 || entry.BlockTicks * blockCount > WorthWakingTicks);

    private void CopyParameters(void** arguments)
    {
        parameterMemory = parameters.Reserve((nuint)entry.ParameterBytes, 64);
        for (var i = 0; i < entry.Parameters.Length; i++)
        {
            var parameter = entry.Parameters[i];
            Buffer.MemoryCopy(arguments[i], parameterMemory + parameter.Offset, parameter.Size, parameter.Size);
        }
    }
}
