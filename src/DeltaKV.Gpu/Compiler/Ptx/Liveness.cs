using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Ptx;

/// <summary>Where each value is still needed. A phi's operand is needed at the end of the block it comes from.</summary>
internal sealed class Liveness
{
    private readonly ulong[][] liveIn;
    private readonly ulong[][] liveOut;
    private readonly int[] position;
    private readonly Dictionary<(int Block, int Value), int> lastUse = [];

    public Liveness(Function function)
    {
        var words = (function.ValueCount + 63) / 64;
        var blocks = function.Blocks;
        position = new int[function.ValueCount];
        liveIn = new ulong[blocks.Count][];
        liveOut = new ulong[blocks.Count][];
        var uses = new ulong[blocks.Count][];
        var definitions = new ulong[blocks.Count][];
        for (var i = 0; i < blocks.Count; i++)
        {
            (liveIn[i], liveOut[i], uses[i], definitions[i]) = (new ulong[words], new ulong[words], new ulong[words], new ulong[words]);
            Scan(blocks[i], uses[i], definitions[i]);
        }

        for (var changed = true; changed;)
        {
            changed = false;
            for (var i = blocks.Count - 1; i >= 0; i--)
                changed |= Flow(blocks[i], uses[i], definitions[i]);
        }
    }

    /// <summary>Whether <paramref name="value"/> is still needed right after <paramref name="definition"/> is defined, where it already exists.</summary>
    public bool IsLiveAfter(Value value, Value definition)
    {
        var block = definition.Block!.Id;
        var here = position[definition.Id];
        if (value.Block!.Id == block ? position[value.Id] > here : !Get(liveIn[block], value.Id))
            return false;
        return Get(liveOut[block], value.Id) || (lastUse.TryGetValue((block, value.Id), out var last) && last > here);
    }

    private void Scan(Block block, ulong[] uses, ulong[] definitions)
    {
        foreach (var phi in block.Phis)
            Set(definitions, phi.Id);
        var here = 0;
        foreach (var value in block.Values)
        {
            here++;
            position[value.Id] = here;
            var until = value.Data is PtxTemplate { HasSeveralInstructions: true } template ? here + template.Results.Length + 1 : here;
            foreach (var argument in value.Args)
                Use(argument, until);
            Set(definitions, value.Id);
        }

        if (block.Test is { } test)
            Use(test, here + 1);

        void Use(Value used, int until)
        {
            if (used.Block is null)
                return;
            lastUse[(block.Id, used.Id)] = Math.Max(lastUse.GetValueOrDefault((block.Id, used.Id)), until);
            if (!Get(definitions, used.Id))
                Set(uses, used.Id);
        }
    }

    private bool Flow(Block block, ulong[] uses, ulong[] definitions)
    {
        var output = liveOut[block.Id];
        foreach (var successor in block.Successors)
        {
            for (var i = 0; i < output.Length; i++)
                output[i] |= liveIn[successor.Id][i];
            var edge = successor.Predecessors.IndexOf(block);
            foreach (var phi in successor.Phis)
            {
                if (phi.Args[edge].Block is not null)
                    Set(output, phi.Args[edge].Id);
            }
        }

        var input = liveIn[block.Id];
        var changed = false;
        for (var i = 0; i < input.Length; i++)
        {
            var updated = uses[i] | (output[i] & ~definitions[i]);
            changed |= updated != input[i];
            input[i] = updated;
        }

        return changed;
    }

    private static bool Get(ulong[] set, int bit) => (set[bit >> 6] >> (bit & 63) & 1) != 0;

    private static void Set(ulong[] set, int bit) => set[bit >> 6] |= 1UL << (bit & 63);
}
