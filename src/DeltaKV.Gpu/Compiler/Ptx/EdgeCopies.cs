using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Ptx;

/// <summary>The moves that give phis their values when control passes along an edge.</summary>
internal static class EdgeCopies
{
    /// <summary>Splits edges that need moves but leave a block with another way out.</summary>
    public static void SplitEdges(Function function, Registers registers)
    {
        foreach (var block in function.Blocks.ToArray())
        {
            if (block.Successors.Count != 2)
                continue;
            for (var i = 0; i < 2; i++)
            {
                var successor = block.Successors[i];
                if (!Needed(block, successor, registers))
                    continue;
                var edge = function.NewBlock();
                block.Successors[i] = edge;
                edge.Predecessors.Add(block);
                edge.Successors.Add(successor);
                successor.Predecessors[successor.Predecessors.IndexOf(block)] = edge;
                function.Blocks.Insert(function.Blocks.IndexOf(block) + 1, edge);
            }
        }
    }

    /// <summary>The moves in an order in which none overwrites what another still reads; cycles go through a new register.</summary>
    public static List<(string Target, Value? Source, string? Register, IrType Type)> Of(Block block, Registers registers)
    {
        var moves = new List<(string Target, Value? Source, string? Register, IrType Type)>();
        if (block.Successors is not [var successor])
            return moves;
        var edge = successor.Predecessors.IndexOf(block);
        var pending = new List<(string Target, Value? Source, string? Register, IrType Type)>();
        foreach (var phi in successor.Phis)
        {
            var source = phi.Args[edge];
            if (!registers.AreSame(phi, source))
                pending.Add((registers.Of(phi), source, source.Block is null ? null : registers.Of(source), phi.Type));
        }

        while (pending.Count > 0)
        {
            var free = pending.FindIndex(move => !pending.Exists(other => other.Register == move.Target && other.Target != move.Target));
            if (free >= 0)
            {
                moves.Add(pending[free]);
                pending.RemoveAt(free);
                continue;
            }

            var (target, _, _, type) = pending[0];
            var saved = registers.New(type);
            moves.Add((saved, null, target, type));
            for (var i = 0; i < pending.Count; i++)
            {
                if (pending[i].Register == target)
                    pending[i] = pending[i] with { Register = saved, Source = null };
            }
        }

        return moves;
    }

    private static bool Needed(Block block, Block successor, Registers registers)
    {
        var edge = successor.Predecessors.IndexOf(block);
        return successor.Phis.Exists(phi => !registers.AreSame(phi, phi.Args[edge]));
    }
}
