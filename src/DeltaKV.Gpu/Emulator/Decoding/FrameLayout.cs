namespace DeltaKV.Gpu.Emulator;

/// <summary>Where in a warp's frame everything lies that operations name: registers from 0 up; constants, special registers and parameters below.</summary>
internal sealed class FrameLayout(PtxKernel kernel)
{
    private const int LineBytes = 64;

    private readonly RegisterPlan plan = new(kernel);
    private readonly Dictionary<PtxRegister, int> slots = [];
    private readonly Dictionary<(long Offset, int LaneSize), int> parameters = [];
    private readonly Dictionary<(ulong Value, int LaneSize), int> constants = [];
    private readonly Dictionary<SpecialRegister, int> specials = [];
    private readonly List<int> temporaries = [];
    private int temporariesInUse;
    private int moreRegisterBytes;
    private int predicateLine;
    private int predicatesInLine = LineBytes / sizeof(uint);

    /// <summary>Frame bytes below slot 0.</summary>
    public int ConstantBytes { get; private set; }

    /// <summary>Frame bytes from slot 0 on.</summary>
    public int RegisterBytes => plan.RegisterBytes + moreRegisterBytes;

    public IReadOnlyDictionary<(long Offset, int LaneSize), int> Parameters => parameters;

    public IReadOnlyDictionary<(ulong Value, int LaneSize), int> Constants => constants;

    public IReadOnlyDictionary<SpecialRegister, int> Specials => specials;

    /// <summary>Whether an instruction only gave a register another name.</summary>
    public bool IsElided(PtxInstruction instruction) => plan.IsElided(instruction);

    /// <summary>The value of an operand that is an immediate, or a register that only ever holds one.</summary>
    public bool TryConstant(PtxOperand operand, out long value)
    {
        if (operand.Kind == OperandKind.Register && plan.TryFindAlias(operand.Register!, out var alias))
            operand = alias;
        value = operand.Bits;
        return operand.Kind == OperandKind.Immediate;
    }

    public int Slot(PtxRegister register)
    {
        if (plan.TryFindSlot(register, out var slot) || slots.TryGetValue(register, out slot))
            return slot;
        if (plan.TryFindAlias(register, out var alias))
            return Slot(alias, register.Type.LaneSize());
        slot = register.Type == PtxType.Pred ? AllocatePredicate() : Allocate(register.Type.LaneSize() * Warp.Lanes);
        slots.Add(register, slot);
        return slot;
    }

    public int Slot(SpecialRegister register) =>
        specials.TryGetValue(register, out var slot) ? slot : specials[register] = AllocateConstant(4);

    public int Constant(ulong value, int laneSize)
    {
        var key = (laneSize == 4 ? (uint)value : value, laneSize);
        return constants.TryGetValue(key, out var slot) ? slot : constants[key] = AllocateConstant(laneSize);
    }

    /// <summary>A register for lanes of either width that lives until <see cref="FreeTemporaries"/>.</summary>
    public int Temporary()
    {
        if (temporariesInUse == temporaries.Count)
            temporaries.Add(Allocate(8 * Warp.Lanes));
        return temporaries[temporariesInUse++];
    }

    public void FreeTemporaries() => temporariesInUse = 0;

    private int Slot(PtxOperand alias, int laneSize) => alias.Kind switch
    {
        OperandKind.Register => Slot(alias.Register!),
        OperandKind.Special when SpecialRegisters.TryParse(alias.Name, out var special) => Slot(special),
        OperandKind.Address => Parameter(alias.Base!.Symbol!.Value + alias.Bits, laneSize),
        _ => Constant((ulong)alias.Bits, laneSize),
    };

    /// <summary>A slot that holds a parameter from the start of a launch.</summary>
    private int Parameter(long offset, int laneSize) =>
        parameters.TryGetValue((offset, laneSize), out var slot) ? slot : parameters[(offset, laneSize)] = AllocateConstant(laneSize);

    private int AllocatePredicate()
    {
        if (predicatesInLine == LineBytes / sizeof(uint))
        {
            predicateLine = Allocate(LineBytes);
            predicatesInLine = 0;
        }

        return predicateLine + (sizeof(uint) * predicatesInLine++);
    }

    private int Allocate(int bytes)
    {
        var slot = RegisterBytes;
        moreRegisterBytes += bytes;
        return slot;
    }

    private int AllocateConstant(int laneSize)
    {
        ConstantBytes += laneSize * Warp.Lanes;
        return -ConstantBytes;
    }
}
