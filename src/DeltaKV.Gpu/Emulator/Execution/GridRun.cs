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
    private LaunchShape shape;
    private long blockCount;
    private long nextBlock;
    private ExceptionDispatchInfo? failure;

    ~GridRun() => parameters.Free();

    public static GridRun Rent() => Interlocked.Exchange(ref spare, null) ?? new GridRun();

    public void Return()
    {
        entry = null!;
        program = null!;
        options = null!;
        failure = null;
        spare = this;
    }

    public void Execute(PtxEntry launched, in LaunchShape launchShape, void** args, EmulatorOptions launchOptions)
    {
        entry = launched;
        options = launchOptions;
        program = launchOptions.Sanitize ? launched.SanitizedProgram : launched.Program;
        shape = launchShape;
        blockCount = shape.Grid.Count;
        nextBlock = 0;
        CopyParameters(args);
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
            worker.Begin(program, shape, parameterMemory, options);
            for (var index = TakeBlock(); index < blockCount; index = TakeBlock())
            {
                var (row, x) = Math.DivRem(index, shape.Grid.X);
                var (z, y) = Math.DivRem(row, shape.Grid.Y);
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

    private void CopyParameters(void** args)
    {
        parameterMemory = parameters.Reserve((nuint)entry.ParameterBytes, 64);
        for (var i = 0; i < entry.Parameters.Length; i++)
        {
            var parameter = entry.Parameters[i];
            Buffer.MemoryCopy(args[i], parameterMemory + parameter.Offset, parameter.Size, parameter.Size);
        }
    }
}
