using DeltaKV.Cache.Reading;
using DeltaKV.Cache.Selection;
using DeltaKV.Compression.Quest;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Benchmarks.Kernels;

/// <summary>One layer of a raw cache read in part, at the heads of Llama-3.1-8B. The bytes are those that must move: bounds of pages, or the tokens read.</summary>
internal static class SparseCases
{
    private static readonly AttentionShape Shape = new(32, 8, 128);

    internal static IEnumerable<KernelCase> All() =>
    [
        Quest("sparse quest scores b1 128k", 131072, 1024, scores: true, select: false, read: false),
        Quest("sparse quest selection b1 128k", 131072, 1024, scores: false, select: true, read: false),
        Quest("sparse quest read top1024 b1 128k", 131072, 1024, scores: false, select: false, read: true),
        Quest("sparse quest layer top1024 b1 32k", 32768, 1024, scores: true, select: true, read: true),
        Quest("sparse quest layer top1024 b1 128k", 131072, 1024, scores: true, select: true, read: true),
        Read("sparse read top2048 b3 128k", 3, 131072, 2048, 1),
        Read("sparse read top2048 b3 128k, a list per head", 3, 131072, 2048, Shape.KeyHeads),
        SearchRecall.Row("sparse search recall 128k"),
    ];

    private static KernelCase Quest(string name, int context, int top, bool scores, bool select, bool read)
    {
        var token = 4.0 * Shape.KeyHeads * Shape.HeadDim;
        return new(name, token * ((scores ? context / 16 : 0) + (read ? top : 0)) + (select ? 4.0 * context / 16 * Shape.KeyHeads : 0), 0, 3, arena =>
        {
            var cache = AttentionCases.Cache(arena, Shape, 1, context / KvBlockLayout.Size);
            var pages = new KvBlocks<BFloat16>(
                arena.BFloat16s(cache.Keys.Length / 16), arena.BFloat16s(cache.Keys.Length / 16), cache.Tables, cache.TableStride, KvBlockLayout.Shift - PageBounds.PageShift);
            var (pageStride, listStride) = (context / 16, (top / 16) + 1);
            var bounds = arena.Upload([new ReadBounds(0, context - 16)]);
            var keys = arena.Singles((long)Shape.KeyHeads * pageStride);
            // Ascending pages until the selection has run.
            var lists = arena.Upload([.. Enumerable.Range(0, Shape.KeyHeads * listStride).Select(i => i % listStride * (pageStride / listStride))]);
            var counts = arena.Upload([.. Enumerable.Repeat(top / 16, Shape.KeyHeads)]);
            var rows = new TokenRows(arena.Upload([0]), arena.Upload([context - 1]));
            var qkv = arena.BFloat16s(Shape.QkvWidth);
            var (score, selection) = (new PageScoreKernel(arena.Accelerator), new TopTokensKernel(arena.Accelerator));
            var decode = Decode(arena, cache, new TokenOrder(bounds, lists, counts, listStride, Shape.KeyHeads, PageBounds.PageShift), top, rows, qkv, 1);
            return _ =>
            {
                if (scores)
                    score.Launch(arena.Stream, qkv, rows, pages, bounds, keys, pageStride, Shape, 1);
                if (select)
                    selection.Launch(arena.Stream, TopTokensKernel.Arguments(rows, bounds, keys, pageStride, lists, listStride, counts, new SelectionBudget(top, 0), PageBounds.PageShift), 1, Shape.KeyHeads);
                if (read)
                    decode();
            };
        });
    }

    private static KernelCase Read(string name, int rows, int context, int top, int heads) =>
        new(name, 4.0 * rows * top * Shape.KeyHeads * Shape.HeadDim, 0, 3, arena =>
        {
            var cache = AttentionCases.Cache(arena, Shape, rows, context / KvBlockLayout.Size);
            var lists = arena.Upload([.. Enumerable.Range(0, rows * heads * top).Select(i => 16 + (i % top * (context / top)) + (i / top % 7))]);
            var counts = arena.Upload([.. Enumerable.Repeat(top, rows * heads)]);
            var bounds = arena.Upload([.. Enumerable.Repeat(new ReadBounds(16, context - 64), rows)]);
            var tokens = new TokenRows(arena.Upload([.. Enumerable.Range(0, rows)]), arena.Upload([.. Enumerable.Repeat(context - 1, rows)]));
            var decode = Decode(arena, cache, new TokenOrder(bounds, lists, counts, top, heads), top, tokens, arena.BFloat16s((long)rows * Shape.QkvWidth), rows);
            return _ => decode();
        });

    private static Action Decode(Arena arena, KvBlocks<BFloat16> cache, TokenOrder order, int top, TokenRows tokens, ArrayView<BFloat16> qkv, int rows)
    {
        var splits = Math.Max(1, Math.Min(top / 64, arena.Accelerator.NumMultiprocessors * 4 / (rows * Shape.KeyHeads)));
        var arguments = new DecodeArguments<RawReader>
        {
            Reader = new RawReader(new KvBlocks<BFloat16x8>(cache.Keys.Cast<BFloat16x8>(), cache.Values.Cast<BFloat16x8>(), cache.Tables, cache.TableStride), Shape.KeyHeads),
            Rows = tokens,
            Order = order,
            Qkv = qkv.Cast<uint>(),
            Output = arena.BFloat16s((long)rows * Shape.OutputWidth).Cast<BFloat16x2>(),
            PartialOutput = arena.Singles((long)rows * splits * Shape.OutputWidth),
            PartialSoftmax = arena.Singles(2L * rows * splits * Shape.QueryHeads).Cast<Float2>(),
            Splits = splits,
        };
        var kernel = new ReaderDecodeKernel<RawReader>(arena.Accelerator);
        return () => kernel.Launch(arena.Stream, arguments, Shape, rows);
    }
}
