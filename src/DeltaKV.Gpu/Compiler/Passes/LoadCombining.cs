using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Passes;

/// <summary>Joins loads of neighbouring words into one of 8 or 16 bytes where the address is aligned: what reading a struct field by field asks for.</summary>
internal static class LoadCombining
{
    public static void Run(Function function)
    {
        foreach (var block in function.Blocks)
        {
            var open = new List<Value>();
            var groups = new List<Value[]>();
            var alignments = Alignments(block);
            foreach (var value in block.Values)
            {
                if (value.Op == Op.Load)
                {
                    if (value.Data is MemoryAccess { IsVolatile: true })
                        Close(open, groups, alignments);
                    else if (value.Data is MemoryAccess { Kinds: [var kind] } && kind.Size() == 4)
                        open.Add(value);
                }
                else if (!value.IsRemovable() && value.Op is not (Op.Shuffle or Op.Assert))
                {
                    Close(open, groups, alignments);
                }
            }

            Close(open, groups, alignments);
            if (groups.Count > 0)
                Rewrite(function, block, groups);
        }

        ControlFlowGraph.ResolveAll(function);
    }

    /// <summary>
    /// How far each address is aligned, as the accesses of this block promise; another block's promise may belong to a branch not taken.
    /// </summary>
    private static Dictionary<Value, int> Alignments(Block block)
    {
        var alignments = new Dictionary<Value, int>();
        foreach (var value in block.Values)
        {
            if (value.Op is Op.Load or Op.Store)
                alignments[value.Args[0]] = Math.Max(value.Scale, alignments.GetValueOrDefault(value.Args[0]));
        }

        return alignments;
    }

    private static void Close(List<Value> open, List<Value[]> groups, Dictionary<Value, int> alignments)
    {
        for (var size = 4; size >= 2; size /= 2)
        {
            foreach (var first in open.ToArray())
            {
                if (alignments[first.Args[0]] < size * 4 || first.Imm % (size * 4) != 0)
                    continue;
                var group = new Value?[size];
                for (var i = 0; i < size; i++)
                    group[i] = open.Find(load => IsAt(first, load, i * 4));
                if (Array.Exists(group, static load => load is null))
                    continue;
                groups.Add(group!);
                open.RemoveAll(load => Array.IndexOf(group, load) >= 0);
            }
        }

        open.Clear();
    }

    private static bool IsAt(Value first, Value load, int offset) =>
        load.Args[0] == first.Args[0] && load.Space == first.Space && load.Type == first.Type && load.Imm == first.Imm + offset;

    /// <summary>The joined load stands where the first of its loads stood.</summary>
    private static void Rewrite(Function function, Block block, List<Value[]> groups)
    {
        var rebuilt = new List<Value>(block.Values.Count + groups.Count);
        var builder = new IrBuilder(function) { Block = block, Target = rebuilt };
        foreach (var value in block.Values)
        {
            var group = value.Op == Op.Load ? groups.Find(group => Array.IndexOf(group, value) >= 0) : null;
            if (group is null)
            {
                rebuilt.Add(value);
                continue;
            }

            if (value.Replacement is not null)
                continue;
            builder.Location = value.Location;
            var kinds = Array.ConvertAll(group, static load => ((MemoryAccess)load.Data!).Kinds[0]);
            var joined = builder.Append(Op.Load, IrType.None, [value.Args[0]], group[0].Imm, kinds.Length * 4, new MemoryAccess(kinds, false, kinds.Length * 4));
            joined.Space = value.Space;
            var parts = builder.Extract(joined, Array.ConvertAll(kinds, static kind => kind.Register()));
            for (var i = 0; i < group.Length; i++)
                group[i].Replacement = parts[i];
        }

        block.Values = rebuilt;
    }
}
