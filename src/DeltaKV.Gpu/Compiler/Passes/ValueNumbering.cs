using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Passes;

/// <summary>
/// Computes everything once: a value equal to one that dominates it is replaced, and so is a load of what memory is known to hold.
/// </summary>
internal sealed class ValueNumbering
{
    private readonly Dictionary<Key, List<Value>> known = [];
    private readonly Dictionary<Block, KnownMemory> memoryAtEnd = [];
    private readonly Dictionary<Value, Value[]> vectors = [];
    private readonly int[] dominators;
    private KnownMemory memory = new();

    private ValueNumbering(Function function) => dominators = FlowGraph.Dominators(function.Blocks);

    public static void Run(Function function)
    {
        var pass = new ValueNumbering(function);
        foreach (var block in function.Blocks)
            pass.Number(block);
        ControlFlowGraph.ResolveAll(function);
    }

    private void Number(Block block)
    {
        memory = block.Predecessors is [var before] && memoryAtEnd.TryGetValue(before, out var held) ? held.Copy() : new KnownMemory();
        foreach (var value in block.Values)
        {
            value.ResolveArgs();
            if (Ops.IsCommutative(value.Op) && !value.Args[1].IsConst && value.Args[0].Id > value.Args[1].Id)
                Array.Reverse(value.Args);
            if (value.Op == Op.Load)
                ShareLoad(value);
            else if (value.Op == Op.Extract && value.Args[0].Op == Op.Load)
                ShareExtract(value);
            else if (value.IsMergeable())
                Merge(value, block);
            else
                Effect(value);
        }

        block.Values.RemoveAll(static value => value.Replacement is not null);
        memoryAtEnd[block] = memory;
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
            if (!FlowGraph.Dominates(dominators, candidate.Block!.Id, block.Id))
                continue;
            value.Replacement = candidate;
            return;
        }

        candidates.Add(value);
    }

    private void ShareLoad(Value load)
    {
        var access = (MemoryAccess)load.Data!;
        if (access.IsVolatile)
        {
            memory.Clear();
            return;
        }

        if (memory.Find(load, access) is not { } values)
        {
            if (access.Kinds.Length == 1)
                memory.Set(load, access, 0, load);
        }
        else if (access.Kinds.Length == 1)
        {
            load.Replacement = values[0];
        }
        else
        {
            vectors[load] = values;
        }
    }

    private void ShareExtract(Value part)
    {
        var load = part.Args[0];
        if (vectors.TryGetValue(load, out var values))
            part.Replacement = values[part.Imm];
        else if (load.Data is MemoryAccess { IsVolatile: false } access)
            memory.Set(load, access, (int)part.Imm, part);
    }

    private void Effect(Value value)
    {
        switch (value.Op)
        {
            case Op.Store when value.Data is MemoryAccess { IsVolatile: false } access:
                memory.Store(value, access);
                break;
            case Op.Shuffle or Op.Assert or Op.Phi:
                break;
            default:
                memory.Clear();
                break;
        }
    }

    private readonly struct Key(Value value) : IEquatable<Key>
    {
        private readonly Value value = value;

        public bool Equals(Key other)
        {
            var (a, b) = (value, other.value);
            if (a.Op != b.Op || a.Type != b.Type || a.Imm != b.Imm || a.Scale != b.Scale || a.Args.Length != b.Args.Length)
                return false;
            for (var i = 0; i < a.Args.Length; i++)
            {
                if (a.Args[i] != b.Args[i])
                    return false;
            }

            return Equals(a.Data, b.Data);
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
