namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>One SSA value: an operation, its operands, and the register type of its result.</summary>
internal sealed class Value(int id, Op op, IrType type, Value[] args)
{
    public int Id { get; } = id;

    public Op Op { get; set; } = op;

    public IrType Type { get; set; } = type;

    public Value[] Args { get; set; } = args;

    /// <summary>A constant's bits, a condition, a byte offset, a result's number: see the operation.</summary>
    public long Imm { get; set; }

    /// <summary>The bytes between elements of an <see cref="Op.ElementAddress"/>.</summary>
    public int Scale { get; set; }

    /// <summary>What else the operation needs: a <see cref="MemoryAccess"/>, a template, a name.</summary>
    public object? Data { get; set; }

    /// <summary>Of an address: where it points. Of a memory operation: where it goes.</summary>
    public AddressSpace Space { get; set; }

    public Location Location { get; set; }

    /// <summary>The block it stands in; null for constants and places, which stand nowhere.</summary>
    public Block? Block { get; set; }

    /// <summary>The value that took this one's place.</summary>
    public Value? Replacement { get; set; }

    public bool IsConst => Op == Op.Const;

    public bool IsFloat => Type is IrType.F32 or IrType.F64;

    public Condition Condition => (Condition)Imm;

    /// <summary>Follows replacements to the value that stands.</summary>
    public Value Resolve()
    {
        if (Replacement is null)
            return this;
        var last = Replacement;
        while (last.Replacement is { } next)
            last = next;
        Replacement = last;
        return last;
    }

    /// <summary>Makes every operand the value that stands in its place.</summary>
    public void ResolveArgs()
    {
        for (var i = 0; i < Args.Length; i++)
            Args[i] = Args[i].Resolve();
    }

    public bool IsConstant(long bits) => Op == Op.Const && Imm == bits;
}
