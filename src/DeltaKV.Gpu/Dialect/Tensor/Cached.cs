namespace DeltaKV.Gpu;

/// <summary>Global-memory accesses with cache hints. An extension to ILGPU's dialect.</summary>
public static class Cached
{
    /// <summary>Reads 16 bytes that nothing writes during the kernel, through the read-only path.</summary>
    [PtxInstruction("ld.global.nc.v4.b32 {{{r0}, {r1}, {r2}, {r3}}}, [{0:global}];", Pure = true)]
    public static UInt4 LoadReadOnly(ref UInt4 source) => source;

    /// <summary>Reads 16 bytes once: read-only, not kept in L1, evicted first. For weights and KV streams.</summary>
    [PtxInstruction("ld.global.nc.L1::no_allocate.L2::256B.v4.b32 {{{r0}, {r1}, {r2}, {r3}}}, [{0:global}];", Pure = true)]
    public static UInt4 LoadStreaming(ref UInt4 source) => source;

    /// <summary>Reads eight brain floats once: read-only, not kept in L1. For weights and KV streams.</summary>
    [PtxInstruction("ld.global.nc.L1::no_allocate.L2::256B.v4.b32 {{{r0}, {r1}, {r2}, {r3}}}, [{0:global}];", Pure = true)]
    public static BFloat16x8 LoadStreaming(ref BFloat16x8 source) => source;

    /// <summary>Reads 16 bytes once that an earlier kernel wrote, perhaps one that still ran when this one began: not kept in L1.</summary>
    [PtxInstruction("ld.global.L1::no_allocate.L2::256B.v4.b32 {{{r0}, {r1}, {r2}, {r3}}}, [{0:global}];")]
    public static UInt4 LoadOnce(ref UInt4 source) => source;

    /// <summary>Reads eight brain floats that nothing writes during the kernel.</summary>
    [PtxInstruction("ld.global.nc.v4.b32 {{{r0}, {r1}, {r2}, {r3}}}, [{0:global}];", Pure = true)]
    public static BFloat16x8 LoadReadOnly(ref BFloat16x8 source) => source;

    /// <summary>Reads a word at L2, past L1: sees what other groups wrote.</summary>
    [PtxInstruction("ld.global.cg.b32 {r0}, [{0:global}];")]
    public static uint LoadGlobalLevel(ref uint source) => source;

    /// <summary>Writes 16 bytes that are not read again soon.</summary>
    [PtxInstruction("st.global.cs.v4.b32 [{0:global}], {{{1}, {2}, {3}, {4}}};")]
    public static void StoreStreaming(ref UInt4 target, UInt4 value) => target = value;

    /// <summary>Asks for <paramref name="bytes"/> (a multiple of 16) in L2, in one go. Before sm_90 nothing.</summary>
    [PtxInstruction("cp.async.bulk.prefetch.L2.global [{0:global}], {1};", HintSince = 90)]
    public static void PrefetchL2(ref UInt4 source, int bytes) => _ = source;

    /// <summary>Asks for the line of L2 that holds the address.</summary>
    [PtxInstruction("prefetch.global.L2 [{0:global}];")]
    public static void PrefetchL2(ref UInt4 source) => _ = source;
}
