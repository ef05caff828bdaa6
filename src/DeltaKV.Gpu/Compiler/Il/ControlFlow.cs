using System.Reflection;

namespace DeltaKV.Gpu.Compiler.Il;

/// <summary>Blocks, order and loops of a method, with loops turned so that they test at the bottom.</summary>
internal sealed class ControlFlow
{
    private const int LongestGuard = 24;
    private readonly IlInstruction[] code;

    public ControlFlow(IlInstruction[] code)
    {
        this.code = code;
        Entry = BuildBlocks();
        Analyze();
        if (TurnLoops())
            Analyze();
    }

    public IlBlock Entry { get; }

    /// <summary>The reachable blocks in reverse post-order.</summary>
    public List<IlBlock> Blocks { get; private set; } = [];

    public Dictionary<IlBlock, IlLoop> Loops { get; } = [];

    /// <summary>A block jumped to from inside a loop it does not head, which only <c>goto</c> into a loop makes.</summary>
    public IlBlock? Irreducible { get; private set; }

    private IlBlock BuildBlocks()
    {
        var leaders = new SortedSet<int> { 0 };
        var indexOf = new Dictionary<int, int>(code.Length);
        for (var i = 0; i < code.Length; i++)
            indexOf[code[i].Offset] = i;
        for (var i = 0; i < code.Length; i++)
        {
            if (!code[i].EndsBlock)
                continue;
            if (i + 1 < code.Length)
                leaders.Add(i + 1);
            foreach (var target in Targets(i))
                leaders.Add(indexOf[target]);
        }

        var starts = leaders.ToArray();
        var blocks = new Dictionary<int, IlBlock>();
        for (var i = 0; i < starts.Length; i++)
            blocks[starts[i]] = new IlBlock(starts[i], i + 1 < starts.Length ? starts[i + 1] : code.Length);
        foreach (var block in blocks.Values)
        {
            var last = block.End - 1;
            foreach (var target in Targets(last))
                block.Successors.Add(blocks[indexOf[target]]);
            if (!code[last].EndsBlock || code[last].IsConditionalBranch)
            {
                if (block.End < code.Length)
                    block.Successors.Add(blocks[block.End]);
            }
        }

        return blocks[0];
    }

    private int[] Targets(int index) => code[index].Op switch
    {
        IlOp.Switch => [.. (int[])code[index].Target!, code[index].Int],
        IlOp.Ret or IlOp.Throw or IlOp.Jmp => [],
        _ when code[index].EndsBlock => [code[index].Int],
        _ => [],
    };

    private void Analyze()
    {
        Blocks = FlowGraph.Reachable(Entry);
        Loops.Clear();
        for (var i = 0; i < Blocks.Count; i++)
        {
            Blocks[i].Order = i;
            Blocks[i].Predecessors.Clear();
            Blocks[i].Loop = null;
        }

        foreach (var block in Blocks)
        {
            foreach (var successor in block.Successors)
            {
                if (!successor.Predecessors.Contains(block))
                    successor.Predecessors.Add(block);
            }
        }

        FindLoops(FlowGraph.Dominators(Blocks));
    }

    private void FindLoops(int[] dominators)
    {
        foreach (var block in Blocks)
        {
            foreach (var successor in block.Successors)
            {
                if (successor.Order > block.Order)
                    continue;
                if (!FlowGraph.Dominates(dominators, successor.Order, block.Order))
                {
                    Irreducible = successor;
                    continue;
                }

                if (!Loops.TryGetValue(successor, out var loop))
                    Loops[successor] = loop = new IlLoop(successor);
                loop.LastLatch = block.Order > loop.LastLatch.Order ? block : loop.LastLatch;
                FlowGraph.CollectLoop(loop.Blocks, block);
            }
        }

        foreach (var block in Blocks)
        {
            if (!Loops.TryGetValue(block, out var loop))
                continue;
            loop.Parent = block.Loop;
            foreach (var member in loop.Blocks)
                member.Loop = loop;
        }

        foreach (var block in Blocks)
        {
            for (var i = block.Start; i < block.End; i++)
            {
                if (block.Loop != null && code[i].Target is MethodInfo { Name: nameof(Unroll.Full) } method && method.DeclaringType == typeof(Unroll))
                    block.Loop.MustUnroll = true;
            }
        }
    }

    /// <summary>
    /// <c>while (c) body</c> becomes <c>if (c) do body while (c)</c>: the entry gets its own copy of the condition's block, so that
    /// an iteration has one branch and the body can count on running.
    /// </summary>
    private bool TurnLoops()
    {
        var changed = false;
        foreach (var loop in Loops.Values)
        {
            if (loop.MustUnroll || loop.Header == Entry || !CanCopy(loop))
                continue;
            var header = loop.Header;
            var guard = new IlBlock(header.Start, header.End);
            guard.Successors.AddRange(header.Successors);
            foreach (var successor in header.Successors)
                successor.Predecessors.Add(guard);
            foreach (var other in Loops.Values)
            {
                if (other != loop && other.Blocks.Contains(header))
                    other.Blocks.Add(guard);
            }

            foreach (var predecessor in header.Predecessors)
            {
                if (loop.Blocks.Contains(predecessor))
                    continue;
                for (var i = 0; i < predecessor.Successors.Count; i++)
                {
                    if (predecessor.Successors[i] == header)
                        predecessor.Successors[i] = guard;
                }
            }

            header.Predecessors.RemoveAll(predecessor => !loop.Blocks.Contains(predecessor));
            changed = true;
        }

        return changed;
    }

    private bool CanCopy(IlLoop loop)
    {
        var header = loop.Header;
        if (header.End - header.Start > LongestGuard || header.Successors.Count != 2 || !code[header.End - 1].IsConditionalBranch)
            return false;
        var inside = loop.Blocks.Contains(header.Successors[0]) ? header.Successors[0] : header.Successors[1];
        var outside = inside == header.Successors[0] ? header.Successors[1] : header.Successors[0];
        if (loop.Blocks.Contains(outside) || inside == header || inside.Predecessors.Count != 1)
            return false;
        for (var i = header.Start; i < header.End; i++)
        {
            if (code[i].Op is IlOp.Call or IlOp.CallVirtual && code[i].Target is not MethodInfo { IsSpecialName: true })
                return false;
            if (code[i].Op is IlOp.NewObject or IlOp.StObject or IlOp.StField or (>= IlOp.StindI1 and <= IlOp.StindR8))
                return false;
        }

        return true;
    }
}
