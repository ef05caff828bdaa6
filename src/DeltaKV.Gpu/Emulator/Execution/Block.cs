namespace DeltaKV.Gpu.Emulator;

/// <summary>State of the thread block a worker is executing.</summary>
internal unsafe struct Block
{
    public const int BarrierCount = 16;
    public const int MaxWarps = 32;

    public Warp* Warps;
    public Barrier* Barriers;
    public byte* Shared;
    public int SharedBytes;
    public int WarpCount;
    public int Threads;
    public int LiveThreads;
    public int X;
    public int Y;
    public int Z;

    /// <summary>Barriers completed so far.</summary>
    public uint Epoch;

    /// <summary>Handle of the <see cref="Worker"/>, for errors and for the sanitizer.</summary>
    public nint Owner;
}

/// <summary>One of the block's hardware barriers.</summary>
internal unsafe struct Barrier
{
    public int Arrived;

    /// <summary>Threads to wait for; 0 means all that have not exited.</summary>
    public int Expected;

    /// <summary>Threads whose predicate was true, for reductions.</summary>
    public int Votes;

    public fixed uint Waiting[Block.MaxWarps];

    /// <summary>The operation each warp waits at, as <see cref="Op"/> pointers.</summary>
    public fixed ulong Site[Block.MaxWarps];
}
