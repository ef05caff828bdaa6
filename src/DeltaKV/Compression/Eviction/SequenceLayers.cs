namespace DeltaKV.Compression.Eviction;

/// <summary>The blocks of a sequence, layer by layer: what it takes as it grows, what it codes, what an eviction replaces, what it takes over from a snapshot.</summary>
internal sealed class SequenceLayers(EvictingKvCache owner)
{
    private readonly EvictionFormat format = owner.Format;
    private LayerBlocks[] layers = New(owner.Format);

    /// <summary>Where every token lives.</summary>
    internal LayerBlocks[] All => layers;

    /// <summary>Raw blocks that are there.</summary>
    internal int Held => layers.Sum(layer => layer.Held);

    /// <summary>Whether anything is coded.</summary>
    internal bool HasCodes => layers.Any(layer => layer.HasCodes);

    /// <summary>Bytes of block numbers, and of a start and coded bounds per layer.</summary>
    internal long TableBytes => layers.Sum(layer => (layer.Entries + (layer.Kind < 0 ? 1L : 3L)) * sizeof(int));

    /// <summary>Coded blocks of a kind that are there.</summary>
    internal int HeldCodes(int kind) => layers.Where(layer => layer.Kind == kind).Sum(layer => layer.HeldCodes);

    /// <summary>Blocks that would have to be taken for a length.</summary>
    /// <param name="length">The length.</param>
    /// <param name="codes">Whether tokens are coded as far as may be.</param>
    internal BlockNeed Missing(int length, bool codes)
    {
        var need = owner.Nothing();
        foreach (var layer in layers)
            need.Add(layer, layer.Missing(length), codes ? layer.MissingCodes(length) : 0);
        return need;
    }

    /// <summary>Takes them.</summary>
    internal void Extend(int length, bool codes)
    {
        foreach (var layer in layers)
        {
            layer.Extend(length, owner.Pool.Take);
            if (codes)
                layer.ExtendCodes(length, kind => owner.CodePools[kind].Take());
        }
    }

    /// <summary>Lets go of what lies behind a length.</summary>
    internal void Trim(int length)
    {
        foreach (var layer in layers)
            layer.Trim(length, owner.Pool.Release);
    }

    /// <summary>Lets go of everything.</summary>
    internal void Release()
    {
        foreach (var layer in layers)
            layer.ForEach(owner.Pool.Release, (kind, block) => owner.CodePools[kind].Release(block));
        layers = New(format);
    }

    /// <summary>Adds what has left the window at a length; returns whether anything has.</summary>
    internal bool Code(int row, int length, List<CodingRange> ranges)
    {
        var before = ranges.Count;
        for (var layer = 0; layer < layers.Length; layer++)
        {
            var (first, end) = layers[layer].Code(length);
            if (end > first)
                ranges.Add(new CodingRange(row, layer, first, end, layers[layer].MovedEnd));
        }

        return ranges.Count > before;
    }

    /// <summary>Lets go of raw blocks whose slots are all coded.</summary>
    internal void ReleaseCoded()
    {
        foreach (var layer in layers)
            layer.ReleaseCoded(owner.Pool.Release);
    }

    /// <summary>Replaces the blocks of layers that are beyond their budgets.</summary>
    internal void Evict(EvictingSequence sequence, int[] budgets, SpareBlocks spares, List<EvictionJob> jobs)
    {
        for (var i = 0; i < layers.Length; i++)
        {
            if (sequence.Length - layers[i].Start > budgets[i])
                jobs.Add(Evict(sequence, i, sequence.Length, budgets[i], spares));
        }
    }

    /// <summary>Replaces the blocks of a layer that loses tokens; stream order makes the reuse of those it had safe.</summary>
    private EvictionJob Evict(EvictingSequence sequence, int layer, int length, int keep, SpareBlocks spares)
    {
        var before = layers[layer];
        var inPlace = IsInPlace(before);
        var after = before.After(length, keep, inPlace);
        for (var block = 0; block < EvictionFormat.Blocks(length); block++)
            after.Blocks.Add(block >= after.Start / EvictionFormat.BlockTokens && after.HoldsRaw(block) ? spares.Take() : LayerBlocks.None);
        if (inPlace)
            MoveCodes(before, after);
        else if (after.HasCodes)
            after.ExtendCodes(length, spares.Take);
        before.ForEach(owner.Pool.Release, (kind, block) => owner.CodePools[kind].Release(block));
        layers[layer] = after;
        return new EvictionJob(sequence, sequence.Row, layer, before, after, length, keep, inPlace);
    }

    /// <summary>Blocks that evictions at a length need before they give any back: layer by layer, blocks of one serve the next unless they are shared.</summary>
    internal BlockNeed NeedToEvict(int length, int[] budgets)
    {
        var need = owner.Nothing();
        var free = owner.Nothing();
        for (var i = 0; i < layers.Length; i++)
        {
            var layer = layers[i];
            if (length - layer.Start <= budgets[i])
                continue;
            var inPlace = IsInPlace(layer);
            var after = layer.After(length, budgets[i], inPlace);
            (need.Raw, free.Raw) = Spent(need.Raw, free.Raw, after.RawAt(length));
            free.Raw += layer.Blocks.Count(block => block != LayerBlocks.None && !owner.Pool.IsShared(block));
            if (layer.Kind < 0 || inPlace)
                continue;
            (need.Coded[layer.Kind], free.Coded[layer.Kind]) = Spent(need.Coded[layer.Kind], free.Coded[layer.Kind], after.MissingCodes(length));
            free.Coded[layer.Kind] += layer.Codes.Count(block => block != LayerBlocks.None && !owner.CodePools[layer.Kind].IsShared(block));
        }

        return need;
    }

    /// <summary>The same for one whose budgets a probe will tell.</summary>
    internal BlockNeed NeedAfterProbe(IProbingPolicy policy, EvictionPlan plan)
    {
        var largest = Math.Min(plan.PromptLength, policy.LargestBudget(plan.PromptLength));
        var need = owner.Nothing();
        need.Raw = layers.Max(layer => layer.After(plan.PromptLength, largest, false).RawAt(plan.PromptLength));
        // All layers together keep what was planned; each may be rounded up and has a least.
        for (var i = 0; i < layers.Length; i++)
        {
            var most = Math.Min(largest, plan.Budgets[i] + EvictionFormat.BlockTokens + TokenBudget.Least);
            need.Add(layers[i], 0, layers[i].After(plan.PromptLength, most, false).CodesAt(plan.PromptLength));
        }

        return need;
    }

    /// <summary>Blocks that a prompt needs before its end, besides those that are there.</summary>
    /// <param name="length">Its length.</param>
    /// <param name="budgets">What every layer keeps of it, raw until then; null: everything, coded as it comes.</param>
    internal BlockNeed ForPrompt(int length, int[]? budgets)
    {
        var need = owner.Nothing();
        for (var i = 0; i < layers.Length; i++)
            need.Add(layers[i], Raw(layers[i].Missing(length), budgets), Codes(layers[i], length, budgets?[i]) - layers[i].HeldCodes);
        return need;
    }

    /// <summary>The same for one that would take over the beginning of a snapshot.</summary>
    internal BlockNeed Behind(EvictionSnapshot snapshot, int common, int length, int[]? budgets)
    {
        var need = owner.Nothing();
        for (var i = 0; i < layers.Length; i++)
        {
            var cut = snapshot.Layers[i].Cut(common);
            var shared = 0;
            for (var block = cut.Start / EvictionFormat.BlockTokens; block < common / EvictionFormat.BlockTokens && !format.HasMarks; block++)
                shared += cut.HoldsRaw(block) ? 1 : 0;
            need.Add(cut, Raw(cut.RawAt(length) - shared, budgets), Codes(cut, length, budgets?[i]) - cut.CodedBlocks);
        }

        return need;
    }

    /// <summary>Takes over the beginning of a snapshot, if there is room: whole blocks are shared unless their marks go on changing, the last partial ones copied.</summary>
    internal bool TryTakeOver(EvictionSnapshot snapshot, int common)
    {
        var copies = 0;
        foreach (var source in snapshot.Layers)
            copies += format.HasMarks ? source.Held : 1;
        if (copies > owner.Pool.FreeCount)
            return false;
        for (var i = 0; i < layers.Length; i++)
        {
            var source = snapshot.Layers[i];
            var target = source.Cut(common);
            owner.Pool.TakeOver(source.Blocks, target.Blocks, common, EvictionFormat.BlockTokens, owner.Store.CopyBlock, format.HasMarks);
            // All of the last block may be coded; more slots of it will not be.
            while (target.Blocks.Count > target.FirstBlock && target.Blocks[^1] == LayerBlocks.None)
                target.Blocks.RemoveAt(target.Blocks.Count - 1);
            if (target.HasCodes)
            {
                owner.CodePools[target.Kind].TakeOver(
                    source.Codes, target.Codes, target.CodedEnd, format.Kept!.BlockTokens, (_, _) => throw new InvalidOperationException("A coded block is whole."));
            }

            layers[i] = target;
        }

        return true;
    }

    private static LayerBlocks[] New(EvictionFormat format) =>
        [.. Enumerable.Range(0, format.LayerCount).Select(layer => new LayerBlocks(format.Kept, format.Kept?.Kinds[layer] ?? -1))];

    /// <summary>Raw blocks of a layer that has everything until its end, or a window.</summary>
    private int Raw(int blocks, int[]? budgets) => budgets is null ? Math.Min(blocks, format.WindowBlocks) : blocks;

    /// <summary>Coded blocks of a layer at the end of a prompt.</summary>
    private static int Codes(LayerBlocks layer, int length, int? budget) =>
        (budget < length - layer.Start ? layer.After(length, budget.Value, false) : layer).CodesAt(length);

    private static (int Need, int Free) Spent(int need, int free, int target) =>
        target > free ? (need + target - free, 0) : (need, free - target);

    /// <summary>Whether the policy's choice leaves coded blocks whole: the newest tokens keep their slots.</summary>
    private bool IsInPlace(LayerBlocks layer) => format.Kept is not null && format.Policy.WhileDecoding && layer.HasCodes;

    /// <summary>Leaves the blocks where they are that are still wanted.</summary>
    private static void MoveCodes(LayerBlocks before, LayerBlocks after)
    {
        var first = after.FirstCode;
        for (var block = 0; block < before.Codes.Count; block++)
        {
            after.Codes.Add(block < first ? LayerBlocks.None : before.Codes[block]);
            if (block >= first)
                before.Codes[block] = LayerBlocks.None;
        }
    }
}
