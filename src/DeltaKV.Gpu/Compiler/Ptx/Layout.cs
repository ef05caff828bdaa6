using DeltaKV.Gpu.Compiler.Ir;
using DeltaKV.Gpu.Compiler.Passes;

namespace DeltaKV.Gpu.Compiler.Ptx;

/// <summary>The order of blocks in the text: predecessors first, every loop in one piece, what follows a loop after it.</summary>
internal static class Layout
{
    public static List<Block> Of(Function function)
    {
        ControlFlowGraph.Order(function);
        var loops = Loop.Find(function).ToDictionary(static loop => loop.Header);
        var result = new List<Block>(function.Blocks.Count);
        var placed = new HashSet<Block>();
        Place(function.Blocks);
        return result;

        void Place(IReadOnlyList<Block> blocks)
        {
            foreach (var block in blocks)
            {
                if (!placed.Add(block))
                    continue;
                result.Add(block);
                if (loops.TryGetValue(block, out var loop))
                    Place(function.Blocks.FindAll(loop.Blocks.Contains));
            }
        }
    }
}
