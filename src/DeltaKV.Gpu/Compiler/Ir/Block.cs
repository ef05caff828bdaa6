namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>A basic block: phis, values in order, and at most two ways out.</summary>
internal sealed class Block(int id) : IFlowNode<Block>
{
    public int Id { get; set; } = id;

    int IFlowNode<Block>.Order => Id;

    public List<Value> Phis { get; set; } = [];

    public List<Value> Values { get; set; } = [];

    /// <summary>The blocks that jump here, in the order of the phis' operands.</summary>
    public List<Block> Predecessors { get; } = [];

    /// <summary>None: the block returns (or is not finished). One: it jumps. Two: taken when <see cref="Test"/> holds, otherwise.</summary>
    public List<Block> Successors { get; } = [];

    public Value? Test { get; set; }

    public Location TestLocation { get; set; }

    /// <summary>The variables' values at the end of the block, while the IR is built.</summary>
    public Dictionary<int, Value> Variables { get; } = [];

    /// <summary>Whether all predecessors are known, while the IR is built.</summary>
    public bool IsSealed { get; set; }

    /// <summary>Phis without operands yet, by variable, while the block is not sealed.</summary>
    public List<(int Variable, Value Phi)> Incomplete { get; } = [];

    public void JumpTo(Block target)
    {
        Successors.Add(target);
        target.Predecessors.Add(this);
    }

    /// <summary>Forgets the edge from a predecessor and the phis' operands that came along it.</summary>
    public void RemovePredecessor(Block predecessor)
    {
        var index = Predecessors.IndexOf(predecessor);
        Predecessors.RemoveAt(index);
        foreach (var phi in Phis)
            phi.Args = [.. phi.Args[..index], .. phi.Args[(index + 1)..]];
    }
}
