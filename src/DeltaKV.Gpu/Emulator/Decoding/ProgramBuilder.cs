namespace DeltaKV.Gpu.Emulator;

/// <summary>Turns a parsed kernel into operations: gives registers and constants their slots and resolves branches.</summary>
internal sealed unsafe partial class ProgramBuilder
{
    private readonly PtxKernel kernel;
    private readonly FrameLayout frame;
    private readonly List<Op> operations = [];
    private readonly List<int> extras = [];
    private readonly List<(int Operation, PtxOperand Label)> branches = [];
    private readonly List<(int Extra, int Operation, PtxOperand Label)> tableBranches = [];
    private readonly List<Action> pending = [];
    private int instruction;
    private bool needsAllWarps;

    private ProgramBuilder(PtxKernel kernel, bool sanitize)
    {
        this.kernel = kernel;
        Sanitize = sanitize;
        frame = new FrameLayout(kernel);
    }

    /// <summary>Whether memory operations are preceded by checks.</summary>
    public bool Sanitize { get; }

    public static Program Build(PtxKernel kernel, bool sanitize) => new ProgramBuilder(kernel, sanitize).Build();

    /// <summary>Slot of a source operand; an immediate becomes a constant of the type's lane size.</summary>
    public int Source(PtxOperand operand, PtxType type)
    {
        switch (operand.Kind)
        {
            case OperandKind.Register when operand.Register!.Type != PtxType.Pred:
                return MatchWidth(frame.Slot(operand.Register), operand.Register.Type, type);
            case OperandKind.Special when SpecialRegisters.TryParse(operand.Name, out var special):
                return MatchWidth(frame.Slot(special), PtxType.U32, type);
            case OperandKind.Immediate or OperandKind.Float32 or OperandKind.Float64 or OperandKind.Symbol:
                return Constant(ConstantBits(operand, type), type.LaneSize());
            default:
                throw Unsupported("unsupported source operand");
        }
    }

    /// <inheritdoc cref="FrameLayout.TryConstant"/>
    public bool TryConstant(PtxOperand operand, out long value) => frame.TryConstant(operand, out value);

    /// <summary>Source whose narrow integer type is extended to the 32 bits of its lane.</summary>
    public int ExtendedSource(PtxOperand operand, PtxType type)
    {
        var source = Source(operand, type);
        if (type.Size() >= 4 || !type.IsInteger() || operand.Kind != OperandKind.Register)
            return source;
        var extended = Temporary();
        EmitExtension(type, extended, source);
        return extended;
    }

    public void EmitExtension(PtxType narrow, int destination, int source)
    {
        switch (narrow)
        {
            case PtxType.S8: EmitUnary<int, int, SignExtend8>(destination, source); break;
            case PtxType.S16: EmitUnary<int, int, SignExtend16>(destination, source); break;
            case PtxType.U8 or PtxType.B8: EmitUnary<uint, uint, ZeroExtend8>(destination, source); break;
            default: EmitUnary<uint, uint, ZeroExtend16>(destination, source); break;
        }
    }

    /// <summary>Slot that receives a result; a wider register is filled by an extension after the operation.</summary>
    public int Destination(PtxOperand operand, PtxType type)
    {
        if (operand.Kind == OperandKind.Sink)
            return Temporary();
        if (operand.Kind != OperandKind.Register || operand.Register!.Type == PtxType.Pred)
            throw Unsupported("the destination is not a register");
        var slot = frame.Slot(operand.Register);
        var registerSize = operand.Register.Type.LaneSize();
        if (registerSize == type.LaneSize())
            return slot;
        if (registerSize < type.LaneSize())
            throw Unsupported("the destination register is too narrow");
        var narrow = Temporary();
        if (type.IsSigned())
            pending.Add(() => EmitWidening<int, long, SignExtend32>(slot, narrow));
        else
            pending.Add(() => EmitWidening<uint, ulong, ZeroExtend32>(slot, narrow));
        return narrow;
    }

    /// <summary>Slot of a predicate; immediates become constant masks.</summary>
    public int Predicate(PtxOperand operand)
    {
        if (operand.Kind == OperandKind.Immediate)
            return Constant(operand.Bits != 0 ? uint.MaxValue : 0, 4);
        if (operand.Kind == OperandKind.Sink)
            return Temporary();
        if (operand.Kind != OperandKind.Register || operand.Register!.Type != PtxType.Pred)
            throw Unsupported("expected a predicate register");
        return frame.Slot(operand.Register);
    }

    public int Constant(ulong value, int laneSize) => frame.Constant(value, laneSize);

    /// <summary>A register that lives for one instruction.</summary>
    public int Temporary() => frame.Temporary();

    public void RequireAllWarps() => needsAllWarps = true;

    /// <summary>Runs an action after the current instruction's operations.</summary>
    public void After(Action action) => pending.Add(action);

    public void Emit(
        delegate*<Warp*, Op*, Op*> handler, int dst = 0, int a = 0, int b = 0, int c = 0, long imm = 0, int aux = 0) =>
        Emit(handler, handler, dst, a, b, c, imm, aux);

    public void Emit(
        delegate*<Warp*, Op*, Op*> converged, delegate*<Warp*, Op*, Op*> diverged, int dst, int a, int b = 0, int c = 0, long imm = 0, int aux = 0) =>
        operations.Add(new Op
        {
            Converged = converged,
            Diverged = diverged,
            Dst = dst,
            A = a,
            B = b,
            C = c,
            Imm = imm,
            Aux = aux,
            Extra = (int*)extras.Count,
            Target = null,
            Instruction = instruction,
        });

    /// <summary>Emits an operation with further operand slots.</summary>
    public void EmitExtra(
        delegate*<Warp*, Op*, Op*> handler, ReadOnlySpan<int> extra, int dst = 0, int a = 0, int b = 0, int c = 0, long imm = 0, int aux = 0)
    {
        Emit(handler, dst, a, b, c, imm, aux);
        extras.AddRange(extra);
    }

    public void EmitExit()
    {
        if (Sanitize)
            Emit(&SanitizedControl.BeforeExit);
        Emit(&ControlFlow.Exit);
        var exit = operations[^1];
        exit.Target = (Op*)-1;
        operations[^1] = exit;
    }

    /// <summary>Emits a jump, conditional when there is a predicate.</summary>
    public void EmitBranch(PtxOperand label, PtxOperand? predicate)
    {
        if (label.Kind != OperandKind.Label || !label.Scope!.TryFindLabel(label.Name, out var target))
            throw Unsupported($"the label '{label.Name}' does not exist");
        var backward = target <= instruction;
        branches.Add((operations.Count, label));
        if (predicate is null)
            Emit(backward ? &ControlFlow.BackwardJump : &ControlFlow.Jump, imm: ControlFlow.JumpMark);
        else
            Emit(backward ? &ControlFlow.BackwardBranch : &ControlFlow.Branch, a: Predicate(predicate), aux: predicate.Negated ? -1 : 0);
    }

    public void EmitIndexedBranch(PtxOperand index, PtxOperand targets)
    {
        if (targets.Kind != OperandKind.Label || !targets.Scope!.TryFindBranchTargets(targets.Name, out var labels))
            throw Unsupported("the branch targets do not exist");
        for (var i = 0; i < labels.Count; i++)
            tableBranches.Add((extras.Count + i, operations.Count, labels[i]));
        EmitExtra(&ControlFlow.BranchIndexed, new int[labels.Count], a: Source(index, PtxType.U32), aux: labels.Count);
    }

    public PtxParseException Unsupported(string reason) => kernel.Instructions[instruction].Unsupported(reason);

    private Program Build()
    {
        var starts = new int[kernel.Instructions.Count + 1];
        for (instruction = 0; instruction < kernel.Instructions.Count; instruction++)
        {
            starts[instruction] = operations.Count;
            Decode(kernel.Instructions[instruction]);
        }

        // Running off the end is a return.
        starts[instruction] = operations.Count;
        EmitExit();
        foreach (var (operation, label) in branches)
        {
            label.Scope!.TryFindLabel(label.Name, out var target);
            var op = operations[operation];
            op.Target = (Op*)starts[target];
            operations[operation] = op;
        }

        foreach (var (extra, operation, label) in tableBranches)
        {
            if (!label.Scope!.TryFindLabel(label.Name, out var target))
                throw kernel.Instructions[operations[operation].Instruction].Unsupported($"the label '{label.Name}' does not exist");
            extras[extra] = starts[target] - operation;
        }

        return new Program(kernel, operations, extras, frame, needsAllWarps);
    }

    private void Decode(PtxInstruction i)
    {
        if (frame.IsElided(i))
            return;
        frame.FreeTemporaries();
        var start = operations.Count;
        try
        {
            if (i.Guard is null || InstructionDecoder.IsBranch(i))
            {
                DecodeUnguarded(i);
                return;
            }

            if (InstructionDecoder.MayWait(i))
            {
                // A lane may not wait inside a guard, so the guard becomes a jump over the instruction.
                var skip = operations.Count;
                Emit(&ControlFlow.Branch, a: Predicate(i.Guard), aux: i.Guard.Negated ? 0 : -1);
                DecodeUnguarded(i);
                Patch(skip, op => op with { Target = (Op*)operations.Count });
                return;
            }

            Emit(&ControlFlow.Guard, a: Predicate(i.Guard), imm: i.Guard.Negated ? -1 : 0);
            DecodeUnguarded(i);
            Patch(start, op => op with { Aux = operations.Count - start - 1 });
        }
        catch (ArgumentOutOfRangeException)
        {
            throw i.Unsupported("too few operands");
        }
    }

    private void DecodeUnguarded(PtxInstruction i)
    {
        InstructionDecoder.Decode(this, i);
        foreach (var action in pending)
            action();
        pending.Clear();
    }

    private void Patch(int operation, Func<Op, Op> change) => operations[operation] = change(operations[operation]);

    private int MatchWidth(int slot, PtxType registerType, PtxType type)
    {
        if (registerType.LaneSize() == type.LaneSize())
            return slot;
        var temporary = Temporary();
        if (type.LaneSize() == 4)
            EmitNarrowing<ulong, uint, Truncate>(temporary, slot);
        else if (type.IsSigned())
            EmitWidening<int, long, SignExtend32>(temporary, slot);
        else
            EmitWidening<uint, ulong, ZeroExtend32>(temporary, slot);
        return temporary;
    }

    /// <summary>The bits of an immediate as a register of the type holds them.</summary>
    public static ulong ConstantBits(PtxOperand operand, PtxType type)
    {
        if (operand.Kind == OperandKind.Symbol)
            return (ulong)(operand.Symbol!.Value + operand.Bits);
        if (operand.Kind == OperandKind.Immediate)
        {
            return type switch
            {
                PtxType.F32 => BitConverter.SingleToUInt32Bits(operand.Bits),
                PtxType.F64 => BitConverter.DoubleToUInt64Bits(operand.Bits),
                PtxType.S8 => (ulong)(sbyte)operand.Bits,
                PtxType.U8 or PtxType.B8 => (byte)operand.Bits,
                PtxType.S16 => (ulong)(short)operand.Bits,
                _ when type.Size() == 2 => (ushort)operand.Bits,
                _ => (ulong)operand.Bits,
            };
        }

        var value = operand.Kind == OperandKind.Float32
            ? BitConverter.Int32BitsToSingle((int)operand.Bits)
            : BitConverter.Int64BitsToDouble(operand.Bits);
        if (type.LaneSize() == 8)
            return operand.Kind == OperandKind.Float64 ? (ulong)operand.Bits : BitConverter.DoubleToUInt64Bits(value);
        return operand.Kind == OperandKind.Float32 ? (ulong)operand.Bits : BitConverter.SingleToUInt32Bits((float)value);
    }
}
