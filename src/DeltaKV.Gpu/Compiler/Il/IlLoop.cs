namespace DeltaKV.Gpu.Compiler.Il;

/// <summary>A natural loop of a method.</summary>
internal sealed class IlLoop(IlBlock header)
{
    public IlBlock Header { get; } = header;

    public HashSet<IlBlock> Blocks { get; } = [header];

    public IlLoop? Parent { get; set; }

    /// <summary>The last block, in reverse post-order, that jumps back to the header.</summary>
    public IlBlock LastLatch { get; set; } = header;

    /// <summary>Whether the loop's condition asks <c>Unroll.Full</c>.</summary>
    public bool MustUnroll { get; set; }
}
