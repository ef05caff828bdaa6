namespace DeltaKV.Compression.Codes.Storage;

/// <summary>The allocators of a coded cache.</summary>
internal sealed class CodedPools(CodedKvCapacity capacity)
{
    /// <summary>Raw layers.</summary>
    internal BlockPool Full { get; } = new(capacity.FullBlocks);

    /// <summary>Raw tokens of compressed layers.</summary>
    internal BlockPool Window { get; } = new(capacity.WindowBlocks);

    /// <summary>Codes.</summary>
    internal BlockPool Codes { get; } = new(capacity.CodeBlocks);

    /// <summary>References.</summary>
    internal BlockPool References { get; } = new(capacity.ReferenceBlocks);

    /// <summary>Calls an action for every block of a sequence.</summary>
    internal void ForEach(CodedBlocks blocks, Action<BlockPool, int> action)
    {
        Visit(Full, blocks.Full, action);
        Visit(Window, blocks.Window, action);
        Visit(Codes, blocks.Codes, action);
        Visit(References, blocks.References, action);
    }

    private static void Visit(BlockPool pool, List<int> blocks, Action<BlockPool, int> action)
    {
        foreach (var block in blocks)
        {
            if (block != CodedBlocks.None)
                action(pool, block);
        }
    }
}
