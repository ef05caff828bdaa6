namespace DeltaKV.Gpu;

/// <summary>Copies from global to shared memory that run while the thread goes on (<c>cp.async</c>). An extension to ILGPU's dialect.</summary>
/// <remarks>The copies of a thread are committed in groups; <see cref="Wait"/> leaves the newest <c>n</c> in flight. A barrier must follow before other threads read.</remarks>
public static class CpAsync
{
    /// <summary>Copies 16 bytes past L1.</summary>
    [PtxInstruction("cp.async.cg.shared.global [{0:shared}], [{1:global}], 16;")]
    public static void Copy16(ref UInt4 target, ref UInt4 source) => throw KernelOnlyException.Here();

    /// <summary>Copies the first <paramref name="sourceBytes"/> (0 to 16) bytes and fills the rest of 16 with zeros.</summary>
    [PtxInstruction("cp.async.cg.shared.global [{0:shared}], [{1:global}], 16, {2};")]
    public static void Copy16(ref UInt4 target, ref UInt4 source, int sourceBytes) => throw KernelOnlyException.Here();

    /// <summary>Copies 16 bytes past L1, fetching 128 bytes into L2. For streams.</summary>
    [PtxInstruction("cp.async.cg.shared.global.L2::128B [{0:shared}], [{1:global}], 16;")]
    public static void Copy16Streaming(ref UInt4 target, ref UInt4 source) => throw KernelOnlyException.Here();

    /// <summary>Copies 4 bytes.</summary>
    [PtxInstruction("cp.async.ca.shared.global [{0:shared}], [{1:global}], 4;")]
    public static void Copy4(ref uint target, ref uint source) => throw KernelOnlyException.Here();

    /// <summary>Closes a group of copies.</summary>
    [PtxInstruction("cp.async.commit_group;")]
    public static void Commit() => throw KernelOnlyException.Here();

    /// <summary>Waits until at most <paramref name="pending"/> (a constant) of the newest groups are in flight.</summary>
    [PtxInstruction("cp.async.wait_group {0:imm};")]
    public static void Wait(int pending) => throw KernelOnlyException.Here();

    /// <summary>Waits for all copies.</summary>
    [PtxInstruction("cp.async.wait_all;")]
    public static void WaitAll() => throw KernelOnlyException.Here();
}
