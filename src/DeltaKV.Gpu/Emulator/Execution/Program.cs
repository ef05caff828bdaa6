using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DeltaKV.Gpu.Emulator;

/// <summary>A kernel ready to run: its operations and the layout of a warp's register frame.</summary>
internal sealed unsafe class Program
{
    private readonly (SpecialRegister Register, int Slot)[] launchSpecials;
    private readonly (SpecialRegister Register, int Slot)[] blockSpecials;
    private readonly (int Slot, int LaneSize, int Offset)[] parameters;
    private readonly byte* constants;
    private readonly int* extras;

    public Program(PtxKernel kernel, List<Op> operations, List<int> extraSlots, FrameLayout frame, bool needsAllWarps)
    {
        Kernel = kernel;
        ConstantBytes = frame.ConstantBytes;
        RegisterBytes = frame.RegisterBytes;
        NeedsAllWarps = needsAllWarps;
        OperationCount = operations.Count;
        Operations = (Op*)NativeMemory.AlignedAlloc((nuint)(operations.Count * sizeof(Op)), 64);
        CollectionsMarshal.AsSpan(operations).CopyTo(new Span<Op>(Operations, operations.Count));
        extras = (int*)NativeMemory.Alloc((nuint)Math.Max(1, extraSlots.Count), sizeof(int));
        CollectionsMarshal.AsSpan(extraSlots).CopyTo(new Span<int>(extras, extraSlots.Count));
        for (var i = 0; i < operations.Count; i++)
        {
            var op = Operations + i;
            op->Extra = extras + (nint)op->Extra;
            op->Target = (nint)op->Target < 0 ? Op.Event : Operations + (nint)op->Target;
        }

        constants = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(64, ConstantBytes), 64);
        new Span<byte>(constants, ConstantBytes).Clear();
        foreach (var ((value, laneSize), slot) in frame.Constants)
            Fill(constants + ConstantBytes + slot, laneSize, value);
        parameters = [.. frame.Parameters.Select(pair => (pair.Value, pair.Key.LaneSize, (int)pair.Key.Offset))];
        var specials = frame.Specials.Select(pair => (pair.Key, pair.Value)).ToLookup(pair => SpecialRegisters.IsPerBlock(pair.Key));
        launchSpecials = [.. specials[false]];
        blockSpecials = [.. specials[true]];
    }

    ~Program()
    {
        NativeMemory.AlignedFree(Operations);
        NativeMemory.AlignedFree(constants);
        NativeMemory.Free(extras);
    }

    public PtxKernel Kernel { get; }

    public Op* Operations { get; }

    public int OperationCount { get; }

    /// <summary>Frame bytes below a warp's register pointer.</summary>
    public int ConstantBytes { get; }

    /// <summary>Frame bytes above it.</summary>
    public int RegisterBytes { get; }

    public int FrameBytes => ConstantBytes + RegisterBytes;

    /// <summary>Warps may wait for each other, so each needs a frame of its own; otherwise they follow one another in one frame.</summary>
    public bool NeedsAllWarps { get; }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void CopyConstants(Warp* warp) =>
        new Span<byte>(constants, ConstantBytes).CopyTo(new Span<byte>(warp->Registers - ConstantBytes, ConstantBytes));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void WriteLaunchSpecials(Warp* warp, in KernelConfig config)
    {
        foreach (var (register, slot) in launchSpecials)
            SpecialRegisters.Write((uint*)(warp->Registers + slot), register, warp, config);
    }

    /// <summary>Spreads the parameters a kernel reads over the lanes of their slots.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void WriteParameters(Warp* warp)
    {
        foreach (var (slot, laneSize, offset) in parameters)
        {
            var source = warp->Parameters + offset;
            Fill(warp->Registers + slot, laneSize, laneSize == 8 ? *(ulong*)source : *(uint*)source);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void WriteBlockSpecials(Warp* warp, in KernelConfig config)
    {
        foreach (var (register, slot) in blockSpecials)
            SpecialRegisters.Write((uint*)(warp->Registers + slot), register, warp, config);
    }

    /// <summary>C# file and line of an operation, or its PTX line.</summary>
    public string Describe(Op* op)
    {
        var instruction = Kernel.Instructions[Math.Min(op->Instruction, Kernel.Instructions.Count - 1)];
        return Kernel.Describe(instruction.Location, instruction.Line);
    }

    private static void Fill(byte* lanes, int laneSize, ulong value)
    {
        if (laneSize == 8)
            new Span<ulong>(lanes, Warp.Lanes).Fill(value);
        else
            new Span<uint>(lanes, Warp.Lanes).Fill((uint)value);
    }
}
