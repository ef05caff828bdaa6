using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Memory in which one thread executes blocks, one after the other. Kept between launches, it only ever grows.</summary>
internal sealed unsafe class Worker
{
    private const nuint Alignment = 1024;

    private readonly Block* block;
    private readonly Warp* warps;
    private NativeArena frames;
    private NativeArena shared;
    private NativeArena local;
    private Program program = null!;
    private KernelConfig config;
    private int frameWarp;

    public Worker()
    {
        block = (Block*)NativeMemory.AllocZeroed((nuint)sizeof(Block));
        warps = (Warp*)NativeMemory.AlignedAlloc((nuint)(sizeof(Warp) * Block.MaxWarps), 64);
        new Span<byte>(warps, sizeof(Warp) * Block.MaxWarps).Clear();
        block->Warps = warps;
        block->Barriers = (Barrier*)NativeMemory.AllocZeroed((nuint)(sizeof(Barrier) * Block.BarrierCount));
        block->Owner = GCHandle.ToIntPtr(GCHandle.Alloc(this, GCHandleType.Weak));
    }

    ~Worker()
    {
        GCHandle.FromIntPtr(block->Owner).Free();
        NativeMemory.Free(block->Barriers);
        NativeMemory.AlignedFree(warps);
        NativeMemory.Free(block);
        frames.Free();
        shared.Free();
        local.Free();
    }

    /// <summary>Present while a sanitized program runs.</summary>
    public BlockSanitizer? Sanitizer { get; private set; }

    public static Worker From(Warp* warp) => (Worker)GCHandle.FromIntPtr(warp->Block->Owner).Target!;

    /// <summary>Prepares the frames for the blocks of one launch.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Begin(Program launched, in KernelConfig launchConfig, byte* parameters, EmulatorOptions options)
    {
        program = launched;
        config = launchConfig;
        var kernel = launched.Kernel;
        var threads = (int)config.GroupDim.LongSize;
        var warpCount = (threads + Warp.Lanes - 1) / Warp.Lanes;
        block->Threads = threads;
        block->WarpCount = warpCount;
        block->SharedBytes = kernel.DynamicSharedOffset + config.SharedMemoryConfig.ArraySize;
        block->Shared = shared.Reserve((nuint)block->SharedBytes, Alignment);
        var frameCount = launched.NeedsAllWarps ? warpCount : 1;
        var frameMemory = frames.Reserve((nuint)(launched.FrameBytes * frameCount), Alignment);
        var localMemory = local.Reserve((nuint)(kernel.LocalBytes * Warp.Lanes * warpCount), Alignment);
        for (var i = 0; i < warpCount; i++)
        {
            var warp = warps + i;
            var frame = launched.NeedsAllWarps ? i : 0;
            warp->Registers = frameMemory + (launched.FrameBytes * frame) + launched.ConstantBytes;
            warp->Shared = block->Shared;
            warp->Local = localMemory + (kernel.LocalBytes * Warp.Lanes * i);
            warp->LocalBytes = kernel.LocalBytes;
            warp->Parameters = parameters;
            warp->Block = block;
            warp->Index = i;
            if (i >= frameCount)
                continue;
            launched.CopyConstants(warp);
            launched.WriteLaunchSpecials(warp, config);
            launched.WriteParameters(warp);
        }

        frameWarp = 0;
        Sanitizer = options.Sanitize ? new BlockSanitizer(this, launched) : null;
        Sanitizer?.Begin(config, block->SharedBytes, options.Memory);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int x, int y, int z)
    {
        block->X = x;
        block->Y = y;
        block->Z = z;
        block->LiveThreads = block->Threads;
        block->Epoch = 1;
        Sanitizer?.BeginBlock();
        BlockBarrier.Reset(block);
        for (var i = 0; i < block->WarpCount; i++)
        {
            var lanes = Math.Min(block->Threads - (i * Warp.Lanes), Warp.Lanes);
            var warp = warps + i;
            warp->Live = uint.MaxValue >> (Warp.Lanes - lanes);
            warp->Blocked = 0;
            warp->Gathering = 0;
            warp->ForceGathered = false;
            warp->UniformPc = program.Operations;
            if (program.NeedsAllWarps)
                program.WriteBlockSpecials(warp, config);
        }

        if (program.NeedsAllWarps)
            RunTogether();
        else
            RunInTurn();
    }

    public KernelTrapException Trap(Warp* warp, Op* op)
    {
        var lane = System.Numerics.BitOperations.TrailingZeroCount(warp->Active);
        return new KernelTrapException(
            $"Kernel '{program.Kernel.Name}' executed a trap in {Place(warp, lane)}, at {program.Describe(op)}.");
    }

    public KernelSanitizerException Error(KernelErrorKind kind, Warp* warp, int lane, Op* op, string detail) =>
        new(kind, program.Kernel.Name, Place(warp, lane), program.Describe(op), detail);

    private string Place(Warp* warp, int lane)
    {
        var thread = (warp->Index * Warp.Lanes) + lane;
        var x = thread % config.GroupDim.X;
        var y = thread / config.GroupDim.X % config.GroupDim.Y;
        var z = thread / (config.GroupDim.X * config.GroupDim.Y);
        return $"block ({block->X}, {block->Y}, {block->Z}), thread ({x}, {y}, {z})";
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunInTurn()
    {
        for (var i = 0; i < block->WarpCount; i++)
        {
            var warp = warps + i;
            if (frameWarp != i)
            {
                program.WriteLaunchSpecials(warp, config);
                frameWarp = i;
            }

            program.WriteBlockSpecials(warp, config);
            while (warp->Live != 0)
                WarpScheduler.Run(warp);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunTogether()
    {
        while (block->LiveThreads > 0)
        {
            var progressed = false;
            for (var i = 0; i < block->WarpCount; i++)
            {
                var warp = warps + i;
                if ((warp->Live & ~warp->Blocked) == 0)
                    continue;
                progressed = true;
                WarpScheduler.Run(warp);
            }

            if (!progressed)
                throw Deadlock();
        }
    }

    private KernelSanitizerException Deadlock()
    {
        for (var i = 0; i < block->WarpCount; i++)
        {
            for (var id = 0; id < Block.BarrierCount; id++)
            {
                var waiting = block->Barriers[id].Waiting[i];
                if (waiting == 0)
                    continue;
                return Error(
                    KernelErrorKind.DivergentBarrier,
                    warps + i,
                    System.Numerics.BitOperations.TrailingZeroCount(waiting),
                    (Op*)block->Barriers[id].Site[i],
                    $"barrier {id} waits for threads that will never arrive ({block->Barriers[id].Arrived} of {block->LiveThreads} did)");
            }
        }

        throw new InvalidOperationException("A block has stopped without waiting at a barrier.");
    }
}
