namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>A kernel in SSA form.</summary>
internal sealed class Function
{
    private readonly Dictionary<(IrType, long), Value> constants = [];
    private int valueCount;
    private int blockCount;

    public Function()
    {
        Entry = NewBlock();
        Entry.IsSealed = true;
    }

    public Block Entry { get; }

    /// <summary>The reachable blocks; in reverse post-order after <c>ControlFlowGraph.Order</c>.</summary>
    public List<Block> Blocks { get; set; } = [];

    /// <summary>Shared and local memory, in order of declaration.</summary>
    public List<MemoryVariable> Memory { get; } = [];

    public bool UsesDynamicShared { get; set; }

    public int ValueCount => valueCount;

    public Block NewBlock() => new(blockCount++);

    public Value NewValue(Op op, IrType type, params Value[] args) => new(valueCount++, op, type, args);

    public Value Const(IrType type, long bits)
    {
        if (type == IrType.I32)
            bits = (int)bits;
        else if (type == IrType.F32)
            bits = (uint)bits;
        if (!constants.TryGetValue((type, bits), out var value))
        {
            constants[(type, bits)] = value = NewValue(Op.Const, type);
            value.Imm = bits;
        }

        return value;
    }

    public Value Int(int number) => Const(IrType.I32, number);

    public Value Bool(bool truth) => Const(IrType.Pred, truth ? 1 : 0);
}
