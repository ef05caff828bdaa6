using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Benchmarks.Kernels;

/// <summary>Attention at the heads of Llama-3.1-8B over scattered blocks.</summary>
internal static class AttentionCases
{
    private static readonly AttentionShape Shape = new(32, 8, 128);

    internal static IEnumerable<KernelCase> All() =>
    [
        Decode("decode b1 1k", 1, 1024),
        Decode("decode b1 32k", 1, 32768),
        Decode("decode b1 128k", 1, 131072),
        Decode("decode b8 32k", 8, 32768),
        Decode("decode b16 32k", 16, 32768),
        Prefill("prefill 8k", 8192),
        Prefill("prefill 32k", 32768),
        RopeAppend("rope append 8192", 8192),
        RopeAppend("rope append 1", 1),
    ];

    /// <summary>Decode attention, its keys split into so many groups per multiprocessor.</summary>
    internal static KernelCase Decode(string name, int rows, int context, int groups = 3) => new(name, 4.0 * rows * context * Shape.KeyHeads * Shape.HeadDim, 0, 3, arena =>
    {
        var cache = Cache(arena, Shape, rows, context / KvBlockLayout.Size);
        var qkv = arena.BFloat16s((long)rows * Shape.QkvWidth);
        var output = arena.BFloat16s((long)rows * Shape.OutputWidth);
        var tokens = new TokenRows(arena.Upload([.. Enumerable.Range(0, rows)]), arena.Upload([.. Enumerable.Repeat(context - 1, rows)]));
        var attention = arena.Keep(new DecodeAttention(arena.Accelerator, Shape, rows, groups));
        return _ => attention.Launch(arena.Stream, qkv, tokens, cache, output, rows);
    });

    private static KernelCase Prefill(string name, int tokens) =>
        new(name, 0, 2.0 * Shape.QueryHeads * Shape.HeadDim * tokens * tokens, 1, arena =>
        {
            var cache = Cache(arena, Shape, 1, tokens / KvBlockLayout.Size);
            var qkv = arena.BFloat16s((long)tokens * Shape.QkvWidth);
            var output = arena.BFloat16s((long)tokens * Shape.OutputWidth);
            var tiles = new PrefillTile[PrefillTile.CountOf(tokens)];
            PrefillTile.Cut(0, 0, tokens, 0, tiles);
            var tileView = arena.Upload(tiles);
            var attention = new PrefillAttention(arena.Accelerator, Shape);
            return _ => attention.Launch(arena.Stream, qkv, tileView, cache, output, tiles.Length);
        });

    private static KernelCase RopeAppend(string name, int tokens) => new(name, 4.0 * tokens * Shape.QkvWidth, 0, 10, arena =>
    {
        var cache = Cache(arena, Shape, 1, (tokens + KvBlockLayout.Size - 1) / KvBlockLayout.Size);
        var qkv = arena.BFloat16s((long)tokens * Shape.QkvWidth);
        var rows = new TokenRows(arena.Upload(new int[tokens]), arena.Upload([.. Enumerable.Range(0, tokens)]));
        var rope = new RopeWeights<BFloat16>(arena.Singles(Shape.HeadDim / 2), 1f, default, default, 0f);
        var kernel = new RopeAppendKernel<BFloat16, BFloat16x2, BFloat16Pairs>(arena.Accelerator);
        return _ => kernel.Launch(arena.Stream, qkv, rows, cache, rope, Shape, tokens);
    });

    /// <summary>A cache whose blocks are scattered.</summary>
    internal static KvBlocks<BFloat16> Cache(Arena arena, AttentionShape shape, int sequences, int blocks)
    {
        var total = (long)sequences * blocks;
        var tables = new int[total];
        for (var i = 0L; i < total; i++)
            tables[i] = (int)(i * 7919 % total);
        return new(arena.BFloat16s(total * shape.BlockElements), arena.BFloat16s(total * shape.BlockElements), arena.Upload(tables), blocks);
    }
}
