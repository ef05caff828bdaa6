using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Passes;

/// <summary>Reachability, order and dominators of a function's blocks.</summary>
internal static class ControlFlowGraph
{
    /// <summary>Drops unreachable blocks and numbers the others in reverse post-order.</summary>
    public static void Order(Function function)
    {
        var blocks = new List<Block>();
        var seen = new HashSet<Block> { function.Entry };
        var stack = new Stack<(Block Block, int Next)>();
        stack.Push((function.Entry, 0));
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
        for (var i = 0; i < blocks.Count; i++)
        {
            blocks[i].Id = i;
            for (var j = blocks[i].Predecessors.Count - 1; j >= 0; j--)
            {
                if (!seen.Contains(blocks[i].Predecessors[j]))
                    blocks[i].RemovePredecessor(blocks[i].Predecessors[j]);
            }
        }

        function.Blocks = blocks;
    }

    /// <summary>Replaces every operand by what stands in its place.</summary>
    public static void ResolveAll(Function function)
    {
        foreach (var block in function.Blocks)
        {
            foreach (var phi in block.Phis)
                Resolve(phi);
            foreach (var value in block.Values)
                Resolve(value);
            block.Test = block.Test?.Resolve();
        }
    }

    /// <summary>The immediate dominator of each block by number; the entry's is itself.</summary>
    public static int[] Dominators(Function function)
    {
        var blocks = function.Blocks;
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
                    if (dominators[predecessor.Id] >= 0)
                        found = found < 0 ? predecessor.Id : Intersect(dominators, found, predecessor.Id);
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

    private static void Resolve(Value value)
    {
        for (var i = 0; i < value.Args.Length; i++)
            value.Args[i] = value.Args[i].Resolve();
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
