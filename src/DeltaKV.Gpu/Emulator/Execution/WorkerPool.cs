namespace DeltaKV.Gpu.Emulator;

/// <summary>Threads that help the launching thread with its blocks, and the workers they all borrow.</summary>
internal static class WorkerPool
{
    private static readonly Lock Gate = new();
    private static readonly Worker?[] Spares = new Worker?[64];
    private static readonly List<Helper> Helpers = [];

    public static Worker RentWorker()
    {
        for (var i = 0; i < Spares.Length; i++)
        {
            if (Spares[i] is not null && Interlocked.Exchange(ref Spares[i], null) is { } worker)
                return worker;
        }

        return new Worker();
    }

    public static void ReturnWorker(Worker worker)
    {
        for (var i = 0; i < Spares.Length; i++)
        {
            if (Spares[i] is null && Interlocked.CompareExchange(ref Spares[i], worker, null) is null)
                return;
        }
    }

    /// <summary>Runs a grid on up to so many threads, this one included. A launch that finds the helpers taken runs alone.</summary>
    public static void Run(GridRun run, int threads)
    {
        if (threads < 2 || !Gate.TryEnter())
        {
            run.TakePart();
            return;
        }

        try
        {
            while (Helpers.Count < threads - 1)
                Helpers.Add(new Helper(Helpers.Count));
            for (var i = 0; i < threads - 1; i++)
                Helpers[i].Start(run);
            run.TakePart();
            for (var i = 0; i < threads - 1; i++)
                Helpers[i].Wait();
        }
        finally
        {
            Gate.Exit();
        }
    }

    /// <summary>One background thread. It spins briefly after a launch, because decoding follows one launch with the next.</summary>
    private sealed class Helper
    {
        private const int SpinIterations = 2000;
        private readonly object wake = new();
        private GridRun? assigned;
        private volatile bool busy;
        private volatile bool asleep;

        public Helper(int index)
        {
            var thread = new Thread(Loop, 16 << 20) { IsBackground = true, Name = $"DeltaKV emulator {index + 1}" };
            thread.Start();
        }

        public void Start(GridRun run)
        {
            busy = true;
            Volatile.Write(ref assigned, run);
            Interlocked.MemoryBarrier();
            if (!asleep)
                return;
            lock (wake)
                Monitor.Pulse(wake);
        }

        /// <summary>Waits for the helper, unless it has not even begun: then all blocks are done without it.</summary>
        public void Wait()
        {
            if (Take() is not null)
            {
                busy = false;
                return;
            }

            var spinner = default(SpinWait);
            while (busy)
                spinner.SpinOnce(sleep1Threshold: -1);
        }

        private void Loop()
        {
            while (true)
            {
                var run = Next();
                run.TakePart();
                busy = false;
            }
        }

        private GridRun Next()
        {
            for (var i = 0; i < SpinIterations; i++)
            {
                if (Take() is { } run)
                    return run;
                Thread.SpinWait(10);
            }

            lock (wake)
            {
                asleep = true;
                Interlocked.MemoryBarrier();
                GridRun? run;
                while ((run = Take()) is null)
                    Monitor.Wait(wake);
                asleep = false;
                return run;
            }
        }

        private GridRun? Take() => Volatile.Read(ref assigned) is null ? null : Interlocked.Exchange(ref assigned, null);
    }
}
