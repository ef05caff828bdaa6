namespace DeltaKV.Gpu.Compiler.Il;

/// <summary>A basic block: instructions <c>[Start, End)</c> of its method.</summary>
internal sealed class IlBlock(int start, int end) : IFlowNode<IlBlock>
{
    public int Start { get; } = start;

    public int End { get; } = end;

    /// <summary>The position in reverse post-order, -1 when unreachable.</summary>
    public int Order { get; set; } = -1;

    /// <summary>Where control goes: a conditional branch has taken first, fall-through second; a switch its cases, then the default.</summary>
    public List<IlBlock> Successors { get; } = [];

    public List<IlBlock> Predecessors { get; } = [];

    /// <summary>The innermost loop around the block.</summary>
    public IlLoop? Loop { get; set; }
}
