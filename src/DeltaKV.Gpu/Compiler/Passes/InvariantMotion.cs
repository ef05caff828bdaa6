using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Passes;

/// <summary>Moves what does not change in a loop in front of it.</summary>
internal static class InvariantMotion
{
    public static void Run(Function function)
    {
        var loops = Loop.Find(function);
        for (var i = loops.Count - 1; i >= 0; i--)
            Hoist(function, loops, loops[i]);
        ControlFlowGraph.Order(function);
    }

    private static void Hoist(Function function, List<Loop> loops, Loop loop)
    {
        Block? before = null;
        foreach (var block in function.Blocks.ToArray())
        {
            if (!loop.Blocks.Contains(block))
                continue;
            var kept = new List<Value>(block.Values.Count);
            foreach (var value in block.Values)
            {
                if (!value.IsSpeculable() || !IsInvariant(loop, value))
                {
                    kept.Add(value);
                    continue;
                }

                before ??= BlockBefore(function, loops, loop);
                value.Block = before;
                before.Values.Add(value);
            }

            block.Values = kept;
        }
    }

    private static bool IsInvariant(Loop loop, Value value)
    {
        foreach (var argument in value.Args)
        {
            if (argument.Block is { } block && loop.Blocks.Contains(block))
                return false;
        }

        return true;
    }

    private static Block BlockBefore(Function function, List<Loop> loops, Loop loop)
    {
        var header = loop.Header;
        var entries = header.Predecessors.FindAll(block => !loop.Blocks.Contains(block));
        if (entries is [{ Successors.Count: 1 } single])
            return single;
        var before = function.NewBlock();
        function.Blocks.Insert(function.Blocks.IndexOf(header), before);
        foreach (var phi in header.Phis)
        {
            var incoming = entries.ConvertAll(entry => phi.Args[header.Predecessors.IndexOf(entry)]);
            var joined = incoming[0];
            if (incoming.Count > 1)
            {
                joined = function.NewValue(Op.Phi, phi.Type, [.. incoming]);
                joined.Block = before;
                joined.Space = phi.Space;
                before.Phis.Add(joined);
            }

            phi.Args = [.. phi.Args, joined];
        }

        foreach (var entry in entries)
        {
            entry.Successors[entry.Successors.IndexOf(header)] = before;
            before.Predecessors.Add(entry);
        }

        header.Predecessors.Add(before);
        before.Successors.Add(header);
        foreach (var entry in entries)
            header.RemovePredecessor(entry);
        foreach (var outer in loops)
        {
            if (outer != loop && outer.Blocks.Contains(header))
                outer.Blocks.Add(before);
        }

        return before;
    }
}
