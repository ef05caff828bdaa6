using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Passes;

/// <summary>Folds again what became known since the IR was built, and removes branches that are decided.</summary>
internal static class Simplify
{
    private const int MostRounds = 8;

    public static void Run(Function function)
    {
        var builder = new IrBuilder(function);
        for (var round = 0; round < MostRounds; round++)
        {
            var changed = false;

            // In a loop that just became unreachable a value can depend on nothing but itself.
            var reached = new HashSet<Block> { function.Entry };
            foreach (var block in function.Blocks)
            {
                if (!reached.Contains(block))
                    continue;
                changed |= FoldPhis(block);
                changed |= FoldValues(builder, block);
                changed |= FoldTest(block);
                reached.UnionWith(block.Successors);
            }

            ControlFlowGraph.Order(function);
            changed |= MergeBlocks(function);
            ControlFlowGraph.ResolveAll(function);
            if (!changed)
                return;
        }
    }

    private static bool FoldPhis(Block block)
    {
        var before = block.Phis.Count;
        foreach (var phi in block.Phis)
        {
            Value? same = null;
            var isTrivial = true;
            for (var i = 0; i < phi.Args.Length; i++)
            {
                var operand = phi.Args[i] = phi.Args[i].Resolve();
                if (operand == phi || operand == same)
                    continue;
                isTrivial &= same is null;
                same = operand;
            }

            if (isTrivial && same is not null)
                phi.Replacement = same;
        }

        block.Phis.RemoveAll(static phi => phi.Replacement is not null);
        return block.Phis.Count != before;
    }

    private static bool FoldValues(IrBuilder builder, Block block)
    {
        var rebuilt = new List<Value>(block.Values.Count);
        var changed = false;
        builder.Block = block;
        builder.Target = rebuilt;
        foreach (var value in block.Values)
        {
            value.ResolveArgs();
            builder.Location = value.Location;
            if (Folder.Fold(builder, value.Op, value.Type, value.Args, value.Imm) is { } folded && folded != value)
            {
                value.Replacement = folded;
                changed = true;
            }
            else
            {
                rebuilt.Add(value);
            }
        }

        block.Values = rebuilt;
        return changed;
    }

    private static bool FoldTest(Block block)
    {
        if (block.Test is null)
            return false;
        var test = block.Test.Resolve();
        if (test.Op == Op.Not)
        {
            test = test.Args[0];
            block.Successors.Reverse();
        }

        block.Test = test;
        if (!test.IsConst)
            return false;
        var dropped = block.Successors[test.Imm != 0 ? 1 : 0];
        block.Successors.Remove(dropped);
        dropped.RemovePredecessor(block);
        block.Test = null;
        return true;
    }

    /// <summary>Joins a block with the only one that follows it, and skips blocks in which nothing happens.</summary>
    private static bool MergeBlocks(Function function)
    {
        var changed = false;
        foreach (var block in function.Blocks)
        {
            while (block.Successors is [{ Predecessors: [_] } next] && next != block && next != function.Entry)
            {
                foreach (var phi in next.Phis)
                    phi.Replacement = phi.Args[0];
                foreach (var value in next.Values)
                    value.Block = block;
                block.Values.AddRange(next.Values);
                block.Test = next.Test;
                block.TestLocation = next.TestLocation;
                block.Successors.Clear();
                foreach (var successor in next.Successors)
                {
                    block.Successors.Add(successor);
                    successor.Predecessors[successor.Predecessors.IndexOf(next)] = block;
                }

                next.Successors.Clear();
                next.Predecessors.Clear();
                next.Values = [];
                next.Phis = [];
                changed = true;
            }
        }

        if (changed)
            ControlFlowGraph.Order(function);
        return changed | SkipEmpty(function);
    }

    private static bool SkipEmpty(Function function)
    {
        var changed = false;
        foreach (var block in function.Blocks)
        {
            if (block == function.Entry || block.Values.Count > 0 || block.Phis.Count > 0 || block.Successors is not [{ Phis.Count: 0 } next] || next == block)
                continue;
            foreach (var predecessor in block.Predecessors.ToArray())
            {
                if (predecessor.Successors.Contains(next))
                    continue;
                predecessor.Successors[predecessor.Successors.IndexOf(block)] = next;
                next.Predecessors.Add(predecessor);
                block.Predecessors.Remove(predecessor);
                changed = true;
            }
        }

        if (changed)
            ControlFlowGraph.Order(function);
        return changed;
    }
}
