namespace DeltaKV.Gpu.Compiler;

/// <summary>A block of a control-flow graph, of IL or of the IR.</summary>
internal interface IFlowNode<TSelf>
    where TSelf : class, IFlowNode<TSelf>
{
    List<TSelf> Successors { get; }

    List<TSelf> Predecessors { get; }

    /// <summary>Its place in <see cref="FlowGraph.Reachable"/>.</summary>
    int Order { get; }
}

/// <summary>Order, dominators and loops of control-flow graphs.</summary>
internal static class FlowGraph
{
    /// <summary>What can be reached from a block, in reverse post-order.</summary>
    public static List<T> Reachable<T>(T entry)
        where T : class, IFlowNode<T>
    {
        var blocks = new List<T>();
        var seen = new HashSet<T> { entry };
        var stack = new Stack<(T Block, int Next)>();
        stack.Push((entry, 0));
        while (stack.TryPop(out var top))
        {
            if (top.Next == top.Block.Successors.Count)
            {
                blocks.Add(top.Block);
                continue;
            }

            stack.Push((top.Block, top.Next + 1));
            var successor = top.Block.Successors[top.Next];
            if (seen.Add(successor))
                stack.Push((successor, 0));
        }

        blocks.Reverse();
        return blocks;
    }

    /// <summary>The immediate dominator of each block by its place in the order; the entry's is itself.</summary>
    public static int[] Dominators<T>(List<T> blocks)
        where T : class, IFlowNode<T>
    {
        var dominators = new int[blocks.Count];
        Array.Fill(dominators, -1);
        dominators[0] = 0;
        for (var changed = true; changed;)
        {
            changed = false;
            for (var i = 1; i < blocks.Count; i++)
            {
                var found = -1;
                foreach (var predecessor in blocks[i].Predecessors)
                {
                    if (dominators[predecessor.Order] >= 0)
                        found = found < 0 ? predecessor.Order : Intersect(dominators, found, predecessor.Order);
                }

                changed |= dominators[i] != found;
                dominators[i] = found;
            }
        }

        return dominators;
    }

    public static bool Dominates(int[] dominators, int dominator, int block)
    {
        while (block > dominator)
            block = dominators[block];
        return block == dominator;
    }

    /// <summary>Adds to a natural loop, which holds its header, what leads to one of its latches.</summary>
    public static void CollectLoop<T>(HashSet<T> loop, T latch)
        where T : class, IFlowNode<T>
    {
        var pending = new Stack<T>([latch]);
        while (pending.TryPop(out var block))
        {
            if (!loop.Add(block))
                continue;
            foreach (var predecessor in block.Predecessors)
                pending.Push(predecessor);
        }
    }

    private static int Intersect(int[] dominators, int left, int right)
    {
        while (left != right)
        {
            while (left > right)
                left = dominators[left];
            while (right > left)
                right = dominators[right];
        }

        return left;
    }
}
