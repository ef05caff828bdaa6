using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Benchmarks.Kernels;

/// <summary>One pass of a flush of Llama-3.1-8B as published, 288 tokens of 27 layers with 4 references each, and its parts. A prompt of 128k tokens takes 455 of them, with half as many references on average.</summary>
internal static class FlushCases
{
    private const int Layers = 27;
    private const int Items = 18;
    private const int Tokens = 16 * Items;
    private const int Stride = 10;
    private static readonly AttentionShape Shape = new(32, 8, 128);

    [Flags]
    private enum Parts
    {
        Gather = 1,
        Exact = 2,
        Levels = 4,
        Encode = 8,
        Flush = Gather | Levels | Encode,
    }

    internal static IEnumerable<KernelCase> All() =>
    [
        Case("flush gather", 32768, Parts.Gather),
        Case("flush search at 32k", 32768, Parts.Exact),
        Case("flush search at 128k", 131072, Parts.Exact),
        Case("flush search at 32k, two levels", 32768, Parts.Levels),
        Case("flush search at 128k, two levels", 131072, Parts.Levels),
        Case("flush encode", 131072, Parts.Encode),
        Case("flush at 32k, two levels", 32768, Parts.Flush),
        Case("flush at 128k, two levels", 131072, Parts.Flush),
    ];

    private static KernelCase Case(string name, int context, Parts parts)
    {
        double width = 2 * Shape.KeyHeads * Shape.HeadDim, references = context / Stride;
        var operations = (parts.HasFlag(Parts.Exact) ? width * references : 0)
            + (parts.HasFlag(Parts.Levels) ? (Sketch.Width * references) + width + (Sketch.Candidates * width) : 0)
            + (parts.HasFlag(Parts.Encode) ? width * 512 : 0);
        return new(name, parts == Parts.Gather ? 4 * width * Tokens * Layers : 0, 2 * operations * Tokens * Layers, 1, arena => Prepare(arena, context, parts));
    }

    private static Action<int> Prepare(Arena arena, int context, Parts parts)
    {
        var tables = arena.Keep(new CodeTables(arena.Accelerator, [.. Enumerable.Repeat(CodedCases.Published(), Layers)]));
        var flush = Flush(arena, tables, context, parts);
        // A window of raw blocks that every 16 positions share.
        var raw = arena.BFloat16s(Layers * 16L * 16 * Shape.KeyHeads * Shape.HeadDim);
        var blocks = new KvBlocks<BFloat16>(raw, raw, arena.Upload([.. Enumerable.Range(0, context / 16).Select(i => i % 16)]), 0, 4);
        var (gather, store, encode) = (new GatherKernel(arena.Accelerator), new StoreReferencesKernel(arena.Accelerator), new EncodeKernel(arena.Accelerator));
        var (search, sketch, coarse, refine) = (
            new SearchKernel(arena.Accelerator), new SketchKernel(arena.Accelerator), new CoarseSearchKernel(arena.Accelerator), new RefineKernel(arena.Accelerator));
        var groups = (int)flush.Groups.Length;
        return _ =>
        {
            if (parts.HasFlag(Parts.Gather))
            {
                gather.Launch(arena.Stream, flush, blocks, raw.Length / 2 / Layers);
                store.Launch(arena.Stream, flush);
            }

            if (parts.HasFlag(Parts.Exact))
                search.Launch(arena.Stream, flush, groups);
            if (parts.HasFlag(Parts.Levels))
            {
                sketch.Launch(arena.Stream, flush);
                coarse.Launch(arena.Stream, flush, groups);
                refine.Launch(arena.Stream, flush);
            }

            if (parts.HasFlag(Parts.Encode))
                encode.Launch(arena.Stream, flush);
        };
    }

    private static FlushView Flush(Arena arena, CodeTables tables, int context, Parts parts)
    {
        // Blocks of records are written only, so some serve for all; references are all there.
        const int RecordBlocks = 64;
        var referenceBlocks = (context / Stride / 16) + 2;
        var places = (long)referenceBlocks * Layers * 16;
        var words = ReferenceRow.WordsOf(16, 2 * Shape.KeyHeads, Shape.HeadDim);
        var splits = Math.Clamp(arena.Accelerator.NumMultiprocessors * 2 / (5 * Layers), 1, 16);
        return new FlushView
        {
            Pool = tables.View(arena.Singles(Shape.HeadDim / 2)) with
            {
                Records = arena.Upload(new uint[RecordBlocks * tables.BlockWords]),
                BlockTables = arena.Upload([.. Enumerable.Range(0, context / 16).Select(i => i % RecordBlocks)]),
                BlockStride = context / 16,
                References = arena.BFloat16s(places * words * 2).Cast<uint>(),
                ReferenceNorms = arena.Singles(places),
                ReferenceTables = arena.Upload([.. Enumerable.Range(0, referenceBlocks).Select(i => (int)((long)i * 7919 % referenceBlocks))]),
                ReferenceStride = referenceBlocks,
                ReferenceBits = 16,
                ReferenceWords = words,
            },
            Items = arena.Upload([.. Enumerable.Range(0, Items).Select(i => new FlushItem(0, context - 512 + (16 * i)))]),
            Groups = arena.Upload([.. Enumerable.Range(0, (Items + 3) / 4).Select(i => new SearchGroup(4 * i, Math.Min(4, Items - (4 * i))))]),
            Units = tables.Units,
            Down = tables.Down,
            Center = tables.Center,
            Rows = arena.BFloat16s((long)Layers * Tokens * tables.Width).Cast<uint>(),
            Candidates = arena.Upload(new Candidate[Layers * Tokens * splits * 4]),
            TwoLevelFrom = parts.HasFlag(Parts.Levels) ? 1 : 0,
            Sketches = arena.BFloat16s((long)Layers * Tokens * Sketch.Width / 2).Cast<UInt4>(),
            SketchSteps = arena.Singles((long)Layers * Tokens),
            ReferenceSketches = arena.BFloat16s(places * Sketch.Width / 2).Cast<UInt4>(),
            ReferenceScales = arena.Singles(2 * places).Cast<Float2>(),
            CoarseCandidates = arena.Upload(new int[Layers * Tokens * Sketch.Candidates]),
            ItemCount = Items,
            Splits = splits,
            Stride = Stride,
            Origin = 16,
            HeadDim = Shape.HeadDim,
        };
    }
}
