namespace DeltaKV.Gpu.Emulator;

/// <summary>
/// Decides, before decoding, which registers are only another name for something else, and lets registers whose lives do not overlap
/// share a slot: a frame that fits the first-level cache is what the interpreter's speed hangs on.
/// </summary>
internal sealed class RegisterPlan
{
    private readonly PtxKernel kernel;
    private readonly Dictionary<PtxRegister, int> definitions = [];
    private readonly Dictionary<PtxRegister, PtxOperand> aliases = [];
    private readonly Dictionary<PtxRegister, int> slots = [];
    private readonly HashSet<PtxInstruction> elided = [];

    public RegisterPlan(PtxKernel kernel)
    {
        this.kernel = kernel;
        List<PtxRegister> written = [], read = [];
        foreach (var instruction in kernel.Instructions)
            OperandRoles.Collect(instruction, written, read);
        foreach (var register in written)
            definitions[register] = definitions.GetValueOrDefault(register) + 1;
        foreach (var instruction in kernel.Instructions)
            FindAlias(instruction);
        Allocate();
    }

    /// <summary>Bytes of all slots.</summary>
    public int RegisterBytes { get; private set; }

    /// <summary>Whether an instruction only gave a register another name.</summary>
    public bool IsElided(PtxInstruction instruction) => elided.Contains(instruction);

    /// <summary>What the register stands for: a register, constant, special register or parameter.</summary>
    public bool TryFindAlias(PtxRegister register, out PtxOperand alias) => aliases.TryGetValue(register, out alias!);

    public bool TryFindSlot(PtxRegister register, out int slot) => slots.TryGetValue(register, out slot);

    /// <summary>
    /// A register written once, by a plain copy of something that never changes after it, is that something. Another register
    /// qualifies if it too is written once: whoever reads the copy has passed the copy since.
    /// </summary>
    private void FindAlias(PtxInstruction i)
    {
        if (i.Guard is not null || i.Operands.Count != 2 || i.Operands[0].Kind != OperandKind.Register || !IsCopy(i))
            return;
        var destination = i.Operands[0].Register!;
        var source = i.Operands[1];
        if (destination.Type == PtxType.Pred || destination.Type.LaneSize() != i.Type.LaneSize() || definitions[destination] != 1)
            return;
        var qualifies = source.Kind switch
        {
            OperandKind.Register => source.Register!.Type != PtxType.Pred && source.Register.Type.LaneSize() == i.Type.LaneSize()
                && definitions.GetValueOrDefault(source.Register) == 1,
            OperandKind.Special => i.Type.LaneSize() == 4 && SpecialRegisters.TryParse(source.Name, out _),
            OperandKind.Immediate or OperandKind.Float32 or OperandKind.Float64 or OperandKind.Symbol => true,
            OperandKind.Address => source.Base!.Kind == OperandKind.Symbol,
            _ => false,
        };
        if (!qualifies)
            return;
        elided.Add(i);
        if (source.Kind == OperandKind.Register && aliases.TryGetValue(source.Register!, out var original))
            source = original;
        else if (source.Kind is OperandKind.Immediate or OperandKind.Float32 or OperandKind.Float64 or OperandKind.Symbol)
            source = new PtxOperand(OperandKind.Immediate) { Bits = (long)ProgramBuilder.ConstantBits(source, i.Type) };
        aliases.Add(destination, source);
    }

    private static bool IsCopy(PtxInstruction i) =>
        i.Name == "mov"
        || (i.Name == "cvta" && i.Has("global") && i.Type.LaneSize() == 8)
        || (i.Name == "ld" && (i.Has("param") || i.Has("param::entry")) && i.Type.Size() >= 4);

    private void Allocate()
    {
        var liveness = new Liveness(
            kernel,
            register => !aliases.TryGetValue(register, out var alias) ? register : alias.Kind == OperandKind.Register ? alias.Register : null);
        var ends = new PriorityQueue<(int Slot, int LaneSize), int>();
        var free = new Dictionary<int, Stack<int>> { [4] = new(), [8] = new() };
        foreach (var (register, first, last) in liveness.Intervals())
        {
            while (ends.TryPeek(out var ended, out var end) && end < first)
            {
                ends.Dequeue();
                free[ended.LaneSize].Push(ended.Slot);
            }

            var laneSize = register.Type.LaneSize();
            if (!free[laneSize].TryPop(out var slot))
            {
                slot = RegisterBytes;
                RegisterBytes += laneSize * Warp.Lanes;
            }

            slots.Add(register, slot);
            ends.Enqueue((slot, laneSize), last);
        }
    }
}
