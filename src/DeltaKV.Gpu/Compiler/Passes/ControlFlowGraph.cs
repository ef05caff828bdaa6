using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Passes;

/// <summary>Keeps a function's blocks and operands up to date.</summary>
internal static class ControlFlowGraph
{
    /// <summary>Drops unreachable blocks and numbers the others in reverse post-order.</summary>
    public static void Order(Function function)
    {
        var blocks = FlowGraph.Reachable(function.Entry);
        var reachable = blocks.ToHashSet();
        for (var i = 0; i < blocks.Count; i++)
        {
            blocks[i].Id = i;
            for (var j = blocks[i].Predecessors.Count - 1; j >= 0; j--)
            {
                if (!reachable.Contains(blocks[i].Predecessors[j]))
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
                phi.ResolveArgs();
            foreach (var value in block.Values)
                value.ResolveArgs();
            block.Test = block.Test?.Resolve();
        }
    }
}
