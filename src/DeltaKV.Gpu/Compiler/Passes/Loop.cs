using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Passes;

/// <summary>A natural loop of the IR.</summary>
internal sealed class Loop(Block header)
{
    public Block Header { get; } = header;

    public HashSet<Block> Blocks { get; } = [header];

    /// <summary>All loops, outer ones before the loops inside them.</summary>
    public static List<Loop> Find(Function function)
    {
        var dominators = FlowGraph.Dominators(function.Blocks);
        var loops = new List<Loop>();
        foreach (var header in function.Blocks)
        {
            Loop? loop = null;
            foreach (var latch in header.Predecessors)
            {
                if (latch.Id < header.Id || !FlowGraph.Dominates(dominators, header.Id, latch.Id))
                    continue;
                if (loop is null)
                    loops.Add(loop = new Loop(header));
                FlowGraph.CollectLoop(loop.Blocks, latch);
            }
        }

        return loops;
    }
}
