using System.Numerics;

namespace DeltaKV.Gpu.Emulator;

/// <summary>What a sanitized run knows about the block in execution: who touched which shared byte since the last barrier.</summary>
internal sealed unsafe class BlockSanitizer(Worker worker, Program program)
{
    public const int UnknownValue = -1;

    private const nuint FirstPlausibleAddress = 65536;

    private readonly BarrierReachability reachability = new(program);
    private readonly PendingCopies copies = new();
    private readonly nint[] lastAccess = new nint[Block.MaxWarps * Warp.Lanes];
    private readonly uint[] lastAccessEpoch = new uint[Block.MaxWarps * Warp.Lanes];
    private readonly uint[] warpEpochs = new uint[Block.MaxWarps];
    private SharedByte[] bytes = [];
    private int dynamicBytes;
    private IMemoryMap? memory;

    public void Begin(in KernelConfig config, int sharedBytes, IMemoryMap? map)
    {
        dynamicBytes = config.SharedMemoryConfig.ArraySize;
        memory = map;
        if (bytes.Length < sharedBytes)
            bytes = new SharedByte[sharedBytes];
    }

    public void BeginBlock()
    {
        Array.Clear(bytes);
        Array.Clear(lastAccess);
        Array.Clear(lastAccessEpoch);
        Array.Clear(warpEpochs);
        copies.BeginBlock();
    }

    public bool IsShared(Warp* warp, byte* address) => (nuint)(address - warp->Shared) < (nuint)warp->Block->SharedBytes;

    public static bool IsLocal(Warp* warp, byte* address) => (nuint)(address - warp->Local) < (nuint)(warp->LocalBytes * Warp.Lanes);

    /// <summary>Lanes of one warp may pass shared memory to each other across bar.warp.sync.</summary>
    public void SynchronizeWarp(Warp* warp) => warpEpochs[warp->Index]++;

    public void CommitCopies(Warp* warp)
    {
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
            copies.Commit(Thread(warp, BitOperations.TrailingZeroCount(lanes)));
    }

    public void WaitForCopies(Warp* warp, uint newest)
    {
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
            copies.Wait(Thread(warp, BitOperations.TrailingZeroCount(lanes)), newest, warp->Block->Epoch, warpEpochs[warp->Index]);
    }

    public void Remember(Warp* warp, uint lanes, Op* op)
    {
        for (; lanes != 0; lanes &= lanes - 1)
        {
            var thread = Thread(warp, BitOperations.TrailingZeroCount(lanes));
            lastAccess[thread] = (nint)op;
            lastAccessEpoch[thread] = warp->Block->Epoch;
        }
    }

    public void CheckGlobal(Warp* warp, Op* op, int lane, nuint address, int size)
    {
        CheckAlignment(warp, op, lane, address, size, "global");
        if (program.Kernel.Variables.Any(variable => address >= (nuint)variable.Address && address + (nuint)size <= (nuint)(variable.Address + variable.Size)))
            return;
        if (address < FirstPlausibleAddress)
            throw worker.Error(KernelErrorKind.OutOfBounds, warp, lane, op, $"{size} bytes at 0x{address:x}: a null view or pointer");
        if (memory is not null && !memory.Contains(address, size))
            throw worker.Error(KernelErrorKind.OutOfBounds, warp, lane, op, $"{size} bytes at 0x{address:x}: {memory.Describe(address)}");
    }

    public void CheckShared(Warp* warp, Op* op, int lane, long offset, int size)
    {
        CheckAlignment(warp, op, lane, (nuint)offset, size, "shared");
        var kernel = program.Kernel;
        var inStatic = offset >= 0 && offset + size <= kernel.StaticSharedBytes;
        var inDynamic = offset >= kernel.DynamicSharedOffset && offset + size <= kernel.DynamicSharedOffset + dynamicBytes;
        if (inStatic || inDynamic)
            return;
        throw worker.Error(
            KernelErrorKind.OutOfBounds, warp, lane, op,
            $"{size} bytes at shared offset {offset}: the block has {kernel.StaticSharedBytes} static bytes and {dynamicBytes} dynamic ones from {kernel.DynamicSharedOffset} on");
    }

    public void CheckLocal(Warp* warp, Op* op, int lane, uint offset, int size)
    {
        CheckAlignment(warp, op, lane, offset, size, "local");
        if ((long)offset + size > warp->LocalBytes)
            throw worker.Error(KernelErrorKind.OutOfBounds, warp, lane, op, $"{size} bytes at local offset {(int)offset} of {warp->LocalBytes}");
    }

    public void ReadShared(Warp* warp, Op* op, int lane, int offset, int size, bool atomic)
    {
        var thread = Thread(warp, lane);
        var epoch = warp->Block->Epoch;
        for (var i = offset; i < offset + size; i++)
        {
            ref var shadow = ref bytes[i];
            if (shadow.Writer == 0)
                throw worker.Error(KernelErrorKind.UninitializedShared, warp, lane, op, $"shared offset {i} is read but no thread has written it");
            if (Conflicts(shadow.Writer, shadow.WriterEpoch, shadow.WriterWarpEpoch, thread, epoch) && !(atomic && shadow.AtomicWrite))
                throw Race(warp, op, lane, i, "reads", "wrote", shadow.Writer);
            if (shadow.CopyGroup != 0)
                CheckArrived(warp, op, lane, i, shadow);
            if (atomic)
                continue;
            var isConcurrent = Conflicts(shadow.Reader, shadow.ReaderEpoch, shadow.ReaderWarpEpoch, thread, epoch);
            shadow.SeveralReaders = isConcurrent || (shadow.SeveralReaders && shadow.Reader == thread + 1 && shadow.ReaderEpoch == epoch);
            shadow.Reader = (ushort)(thread + 1);
            shadow.ReaderEpoch = epoch;
            shadow.ReaderWarpEpoch = warpEpochs[warp->Index];
        }
    }

    public void WriteShared(Warp* warp, Op* op, int lane, int offset, int value, bool atomic, bool asynchronous)
    {
        var thread = Thread(warp, lane);
        var epoch = warp->Block->Epoch;
        ref var shadow = ref bytes[offset];
        if (shadow.CopyGroup != 0 && copies.IsPending(shadow.Writer - 1, shadow.CopyGroup))
            throw Pending(warp, op, lane, offset, "writes", shadow.Writer);
        var harmless = (atomic && shadow.AtomicWrite) || (value != UnknownValue && value == shadow.Value);
        if (!harmless && Conflicts(shadow.Writer, shadow.WriterEpoch, shadow.WriterWarpEpoch, thread, epoch))
            throw Race(warp, op, lane, offset, "writes", "wrote", shadow.Writer);
        var othersRead = shadow.SeveralReaders && shadow.ReaderEpoch == epoch && shadow.ReaderWarpEpoch == warpEpochs[warp->Index];
        if (othersRead || Conflicts(shadow.Reader, shadow.ReaderEpoch, shadow.ReaderWarpEpoch, thread, epoch))
            throw Race(warp, op, lane, offset, "writes", "or another one read", shadow.Reader);
        shadow.Writer = (ushort)(thread + 1);
        shadow.WriterEpoch = epoch;
        shadow.WriterWarpEpoch = warpEpochs[warp->Index];
        shadow.AtomicWrite = atomic;
        shadow.Value = value;
        shadow.CopyGroup = asynchronous ? copies.NextGroup(thread) : 0;
    }

    /// <summary>Called before lanes arrive at an aligned barrier for all threads.</summary>
    public void CheckArrival(Warp* warp, Op* op, int id)
    {
        var block = warp->Block;
        var barrier = block->Barriers + id;
        if (barrier->Waiting[warp->Index] != 0 && barrier->Site[warp->Index] != (ulong)op)
        {
            var other = BitOperations.TrailingZeroCount(barrier->Waiting[warp->Index]);
            throw worker.Error(
                KernelErrorKind.DivergentBarrier, warp, BitOperations.TrailingZeroCount(warp->Active), op,
                $"lane {other} of the same warp waits at another barrier, at {program.Describe((Op*)barrier->Site[warp->Index])}");
        }

        if (barrier->Arrived + BitOperations.PopCount(warp->Active) < block->LiveThreads)
            return;
        for (var thread = 0; thread < block->Threads; thread++)
        {
            var owner = block->Warps + (thread / Warp.Lanes);
            if ((owner->Live >> (thread % Warp.Lanes) & 1) == 0)
                CheckSkipped(owner, thread, op, warp);
        }
    }

    /// <summary>Called before lanes exit: nobody may be waiting for them at a barrier they have jumped over.</summary>
    public void CheckExit(Warp* warp)
    {
        var block = warp->Block;
        for (var id = 0; id < Block.BarrierCount; id++)
        {
            var barrier = block->Barriers + id;
            if (barrier->Arrived == 0 || barrier->Expected != 0)
                continue;
            for (var i = 0; i < block->WarpCount; i++)
            {
                if (barrier->Waiting[i] == 0)
                    continue;
                for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
                    CheckSkipped(warp, Thread(warp, BitOperations.TrailingZeroCount(lanes)), (Op*)barrier->Site[i], block->Warps + i);
            }
        }
    }

    private void CheckSkipped(Warp* warp, int thread, Op* site, Warp* waiting)
    {
        if (lastAccessEpoch[thread] != warp->Block->Epoch || !reachability.IsBehind(site, (Op*)lastAccess[thread]))
            return;
        throw worker.Error(
            KernelErrorKind.DivergentBarrier, warp, thread % Warp.Lanes, site,
            $"this thread went past the barrier at which threads of warp {waiting->Index} wait; it was last seen at {program.Describe((Op*)lastAccess[thread])}");
    }

    private void CheckAlignment(Warp* warp, Op* op, int lane, nuint address, int size, string space)
    {
        var alignment = (nuint)(size & -size);
        if (address % alignment != 0)
            throw worker.Error(KernelErrorKind.Misaligned, warp, lane, op, $"{size} bytes at {space} address 0x{address:x}, which is not a multiple of {alignment}");
    }

    /// <summary>Another thread's access since the last barrier, or, within a warp, since the warp last synchronised.</summary>
    private bool Conflicts(ushort other, uint epoch, uint warpEpoch, int thread, uint now)
    {
        if (other == 0 || other == thread + 1 || epoch != now)
            return false;
        var warp = thread / Warp.Lanes;
        return (other - 1) / Warp.Lanes != warp || warpEpoch == warpEpochs[warp];
    }

    /// <summary>A copy is there for its thread when that has waited for it, for others after the next barrier.</summary>
    private void CheckArrived(Warp* warp, Op* op, int lane, int offset, in SharedByte shadow)
    {
        var owner = shadow.Writer - 1;
        if (copies.IsPending(owner, shadow.CopyGroup))
            throw Pending(warp, op, lane, offset, "reads", shadow.Writer);
        if (copies.TryEnd(owner, shadow.CopyGroup, out var epoch, out var warpEpoch)
            && Conflicts(shadow.Writer, epoch, warpEpoch, Thread(warp, lane), warp->Block->Epoch))
        {
            throw Race(warp, op, lane, offset, "reads", "waited for a copy to", shadow.Writer);
        }
    }

    private KernelSanitizerException Pending(Warp* warp, Op* op, int lane, int offset, string does, int owner) => worker.Error(
        KernelErrorKind.PendingCopy, warp, lane, op,
        $"it {does} shared offset {offset}, to which thread {owner - 1} of the block (in row order) has an asynchronous copy on its way and has not waited for it");

    private KernelSanitizerException Race(Warp* warp, Op* op, int lane, int offset, string does, string did, int other) => worker.Error(
        KernelErrorKind.SharedRace, warp, lane, op,
        $"it {does} shared offset {offset}, which thread {other - 1} of the block (in row order) {did} with no barrier in between");

    private static int Thread(Warp* warp, int lane) => (warp->Index * Warp.Lanes) + lane;

    private struct SharedByte
    {
        public uint WriterEpoch;
        public uint WriterWarpEpoch;
        public uint ReaderEpoch;
        public uint ReaderWarpEpoch;
        public int Value;
        public uint CopyGroup;
        public ushort Writer;
        public ushort Reader;
        public bool AtomicWrite;
        public bool SeveralReaders;
    }
}
