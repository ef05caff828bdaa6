using DeltaKV.Cache.Reading;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Hot;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Benchmarks.Kernels;

/// <summary>
/// The hot set of one layer at the heads of Llama-3.1-8B as published: the plan, which layers share, and filling nine tenths' misses and reading. To be compared with
/// the row <c>coded published top2048 b3 128k</c>, which reconstructs every token.
/// </summary>
internal static class HotCases
{
    private const int Rows = 3;
    private const int Context = 131072;
    private const int Top = 2048;
    private const int Slots = 4096;
    private static readonly AttentionShape Shape = new(32, 8, 128);

    internal static IEnumerable<KernelCase> All() =>
    [
        Case("hot plan b3 128k", plans: true, misses: 0, reads: false),
        Case("hot layer b3 128k, all found", plans: false, misses: 0, reads: true),
        Case("hot layer b3 128k, 90 % found", plans: false, misses: Top / 10, reads: true),
    ];

    private static KernelCase Case(string name, bool plans, int misses, bool reads) =>
        new(name, reads ? 4.0 * Rows * Top * Shape.KeyHeads * Shape.HeadDim : 4.0 * Rows * Top, 0, 3, arena =>
        {
            var pool = CodedCases.Pool(arena, [CodedCases.Published()], Rows, Context);
            var raw = CodedCases.Raw(arena, Rows, Context);
            int[] selected = [.. Enumerable.Range(0, Rows * Top).Select(i => 16 + (i % Top * (Context / Top)))];
            var bounds = arena.Upload([.. Enumerable.Repeat(new ReadBounds(16, Context - 64), Rows)]);
            var counts = arena.Upload([.. Enumerable.Repeat(Top, Rows)]);
            var maps = new HotMaps
            {
                Places = arena.Upload([.. Enumerable.Range(0, Rows)]),
                SlotOf = arena.Upload([.. Enumerable.Repeat(-1, Rows * Context)]),
                TokenStride = Context,
                PositionOf = arena.Upload([.. Enumerable.Repeat(-1, Rows * Slots)]),
                LastPlan = arena.Upload(new int[Rows * Slots]),
                Plans = arena.Upload(new int[Rows]),
                Slots = Slots,
                Lists = arena.Upload([.. Enumerable.Range(0, Rows * Slots).Select(i => i % Slots * 7 % Slots)]),
                Counts = arena.Upload([.. Enumerable.Repeat(Top, Rows)]),
                MissPositions = arena.Upload([.. Enumerable.Range(0, Rows * Slots).Select(i => 16 + (i % Slots * (Context / Slots / 2)))]),
                MissSlots = arena.Upload([.. Enumerable.Range(0, Rows * Slots).Select(i => i % Slots)]),
                MissCounts = arena.Upload([.. Enumerable.Repeat(misses, Rows)]),
                ListStride = Slots,
                Totals = arena.Upload(new int[2]),
            };
            var slots = new KvBlocks<BFloat16>(
                arena.BFloat16s((long)Rows * Slots * Shape.KeyHeads * Shape.HeadDim),
                arena.BFloat16s((long)Rows * Slots * Shape.KeyHeads * Shape.HeadDim),
                arena.Upload([.. Enumerable.Range(0, Rows * Slots / 16)]),
                Slots / 16,
                HotSet.SlotShift);
            var splits = arena.Accelerator.NumMultiprocessors * 4 / (Rows * Shape.KeyHeads);
            var arguments = new DecodeArguments<HotReader>
            {
                Reader = new HotReader(new(slots.Keys.Cast<BFloat16x8>(), slots.Values.Cast<BFloat16x8>(), slots.Tables, slots.TableStride, slots.BlockShift), raw, Shape.KeyHeads),
                Rows = new TokenRows(maps.Places, arena.Upload([.. Enumerable.Repeat(Context - 1, Rows)])),
                Order = new TokenOrder(bounds, maps.Lists, maps.Counts, Slots),
                Qkv = arena.BFloat16s((long)Rows * Shape.QkvWidth).Cast<uint>(),
                Output = arena.BFloat16s((long)Rows * Shape.OutputWidth).Cast<BFloat16x2>(),
                PartialOutput = arena.Singles((long)Rows * splits * Shape.OutputWidth),
                PartialSoftmax = arena.Singles(2L * Rows * splits * Shape.QueryHeads).Cast<Float2>(),
                Splits = splits,
            };
            var order = new TokenOrder(bounds, arena.Upload(selected), counts, Top);
            var reader = new CodeReader(pool, raw, 0);
            var (plan, fill, decode) = (new HotPlanKernel(arena.Accelerator), new HotFillKernel<CodeReader>(arena.Accelerator), new ReaderDecodeKernel<HotReader>(arena.Accelerator));
            return _ =>
            {
                if (plans)
                    plan.Launch(arena.Stream, arguments.Rows, order, maps, Rows);
                if (!reads)
                    return;
                fill.Launch(arena.Stream, reader, slots, arguments.Rows, maps, 0, Shape, Rows);
                decode.Launch(arena.Stream, arguments, Shape, Rows);
            };
        });
}
