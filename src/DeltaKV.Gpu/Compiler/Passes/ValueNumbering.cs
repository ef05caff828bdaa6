using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Passes;

/// <summary>Computes everything once: a value equal to one that dominates it is replaced; loads are shared within a block until a write may change them.</summary>
internal sealed class ValueNumbering
{
    private readonly Dictionary<Key, List<Value>> known = [];
    private readonly Dictionary<Key, Value> loads = [];
    private readonly int[] dominators;

    private ValueNumbering(Function function) => dominators = ControlFlowGraph.Dominators(function);

    public static void Run(Function function)
    {
        var pass = new ValueNumbering(function);
        foreach (var block in function.Blocks)
            pass.Number(block);
        ControlFlowGraph.ResolveAll(function);
    }

    private void Number(Block block)
    {
        loads.Clear();
        foreach (var value in block.Values)
        {
            for (var i = 0; i < value.Args.Length; i++)
                value.Args[i] = value.Args[i].Resolve();
            if (Ops.IsCommutative(value.Op) && !value.Args[1].IsConst && value.Args[0].Id > value.Args[1].Id)
                Array.Reverse(value.Args);
            if (value.Op == Op.Load)
                ShareLoad(value);
            else if (value.IsMergeable())
                Merge(value, block);
            else
                Forget(value);
        }

        block.Values.RemoveAll(static value => value.Replacement is not null);
    }

    private void Merge(Value value, Block block)
    {
        var key = new Key(value);
        if (!known.TryGetValue(key, out var candidates))
        {
            known[key] = [value];
            return;
        }

        foreach (var candidate in candidates)
        {
            if (!ControlFlowGraph.Dominates(dominators, candidate.Block!.Id, block.Id))
                continue;
            value.Replacement = candidate;
            return;
        }

        candidates.Add(value);
    }

    private void ShareLoad(Value load)
    {
        if (load.Data is MemoryAccess { IsVolatile: true })
        {
            loads.Clear();
            return;
        }

        if (!loads.TryAdd(new Key(load), load))
            load.Replacement = loads[new Key(load)];
    }

    private void Forget(Value value)
    {
        switch (value.Op)
        {
            case Op.Store when value.Data is MemoryAccess { IsVolatile: false }:
                foreach (var (key, load) in loads)
                {
                    if (load.Space == value.Space && Overlap(load, value))
                        loads.Remove(key);
                }

                break;
            case Op.Shuffle or Op.Assert:
                break;
            default:
                loads.Clear();
                break;
        }
    }

    private static bool Overlap(Value load, Value store) =>
        load.Args[0] != store.Args[0] || (load.Imm < store.Imm + Bytes(store) && store.Imm < load.Imm + Bytes(load));

    private static int Bytes(Value access)
    {
        var kinds = ((MemoryAccess)access.Data!).Kinds;
        return kinds.Length * kinds[0].Size();
    }

    private readonly struct Key(Value value) : IEquatable<Key>
    {
        private readonly Value value = value;

        public bool Equals(Key other)
        {
            var (a, b) = (value, other.value);
            if (a.Op != b.Op || a.Type != b.Type || a.Imm != b.Imm || a.Scale != b.Scale || (a.Op == Op.Load && a.Space != b.Space) || a.Args.Length != b.Args.Length)
                return false;
            for (var i = 0; i < a.Args.Length; i++)
            {
                if (a.Args[i] != b.Args[i])
                    return false;
            }

            return a.Data is MemoryAccess x && b.Data is MemoryAccess y ? x.Kinds.AsSpan().SequenceEqual(y.Kinds) : Equals(a.Data, b.Data);
        }

        public override bool Equals(object? obj) => obj is Key other && Equals(other);

        public override int GetHashCode()
        {
            var hash = HashCode.Combine(value.Op, value.Type, value.Imm);
            foreach (var argument in value.Args)
                hash = (hash * 31) + argument.Id;
            return hash;
        }
    }
}
