using System.Globalization;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Gpu;

namespace DeltaKV.Benchmarks.Kernels;

/// <summary>What the search in two levels misses at 128k tokens: it beside the exact search on the same rows, which look like kv: words that come back, drifting topics, noise in few directions.</summary>
internal static class SearchRecall
{
    private const int Context = 131072;
    private const int Stride = 10;
    private const int KeyHeads = 8;
    private const int HeadDim = 128;
    private const int Width = 2 * KeyHeads * HeadDim;
    private const int Queries = 256;
    private const int Splits = 16;

    /// <summary>Times the search in two levels; says on standard output how many of the nearest it finds.</summary>
    internal static KernelCase Row(string name) =>
        new(name, 0, Queries * 2.0 * ((Sketch.Width * (Context / Stride)) + (double)Width + (Sketch.Candidates * Width)), 1, arena =>
        {
            var norms = new double[Queries];
            var exact = Flush(arena, norms, out var references);
            var levels = exact with { TwoLevelFrom = 1, Candidates = arena.Upload(new Candidate[Queries * Splits * 4]) };
            var store = new StoreReferencesKernel(arena.Accelerator);
            var (sketch, coarse, refine) = (new SketchKernel(arena.Accelerator), new CoarseSearchKernel(arena.Accelerator), new RefineKernel(arena.Accelerator));
            // References first, as tokens of a stride of one; then the queries.
            store.Launch(arena.Stream, references);
            sketch.Launch(arena.Stream, references);
            new SearchKernel(arena.Accelerator).Launch(arena.Stream, exact, Queries / 64);
            Search(0);
            arena.Stream.Synchronize();
            Report(name, norms, exact.Candidates.GetAsArray(arena.Stream), levels.Candidates.GetAsArray(arena.Stream));
            return Search;

            void Search(int number)
            {
                sketch.Launch(arena.Stream, levels);
                coarse.Launch(arena.Stream, levels, Queries / 64);
                refine.Launch(arena.Stream, levels);
            }
        });

    private static void Report(string name, double[] norms, Candidate[] exact, Candidate[] levels)
    {
        var (found, wanted) = (0, 0);
        var (foundNear, near) = (0, 0);
        var farther = 0.0;
        for (var query = 0; query < Queries; query++)
        {
            var nearest = exact.AsSpan(query * Splits * 4, Splits * 4).ToArray().Where(candidate => candidate.Ordinal >= 0)
                .OrderByDescending(candidate => candidate.Score).Take(4).ToArray();
            var actual = levels.AsSpan(query * Splits * 4, 4).ToArray();
            // Tokens that are references search nothing.
            if ((Context - Queries + query) % Stride == 0)
                continue;
            var ordinals = actual.Select(candidate => candidate.Ordinal).ToHashSet();
            found += nearest.Count(candidate => ordinals.Contains(candidate.Ordinal));
            // A reference that is worth subtracting: nearer than zero. Words that came back too seldom have all the others at one distance.
            near += nearest.Count(candidate => candidate.Score > 0);
            foundNear += nearest.Count(candidate => candidate.Score > 0 && ordinals.Contains(candidate.Ordinal));
            farther += actual.Average(candidate => norms[query] - candidate.Score) / nearest.Average(candidate => norms[query] - candidate.Score);
            wanted += nearest.Length;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {(double)found / wanted:f3} of the four nearest are found, {(double)foundNear / near:f3} of those {near} that are nearer than zero, the four found are {(100 * farther / (wanted / 4)) - 100:f2} % farther in the mean of squares ({wanted / 4} tokens, {Context / Stride} references)."));
    }

    /// <summary>The last tokens of the context as queries; and all references as a flush of their own.</summary>
    private static FlushView Flush(Arena arena, double[] norms, out FlushView references)
    {
        var codec = new LinearCodec
        {
            KeyHeads = KeyHeads,
            HeadDim = HeadDim,
            Mean = new float[Width],
            Neighbours = 4,
            Groups = [new CodeGroup(0, Width, [], [], [])],
        };
        var tables = arena.Keep(new CodeTables(arena.Accelerator, [codec]));
        var count = (Context / Stride) + 1;
        var blocks = (count + 15) / 16;
        var rows = new KvLikeRows(Width, 1);
        var referenceRows = new uint[blocks * 16L * Width / 2];
        var queryRows = new uint[Queries * Width / 2];
        for (var position = 0; position < Context; position++)
        {
            rows.Next();
            if (position % Stride == 0)
                rows.Write(referenceRows, position / Stride);
            if (position < Context - Queries)
                continue;
            rows.Write(queryRows, position - Context + Queries);
            norms[position - Context + Queries] = rows.SquaredNorm();
        }

        var pool = new CodePoolView
        {
            References = arena.Upload(new uint[blocks * 16L * Width / 2]),
            ReferenceNorms = arena.Singles(blocks * 16),
            ReferenceTables = arena.Upload([.. Enumerable.Range(0, blocks)]),
            ReferenceStride = blocks,
            ReferenceBits = 16,
            ReferenceWords = Width / 2,
            Layers = 1,
            ReferenceLayers = 1,
            KeyHeads = KeyHeads,
            LayerCodes = tables.LayerCodes,
        };
        references = new FlushView
        {
            Pool = pool,
            Items = arena.Upload([.. Enumerable.Range(0, blocks).Select(i => new FlushItem(0, 16 * i))]),
            Rows = arena.Upload(referenceRows),
            Sketches = arena.BFloat16s(blocks * 16L * Sketch.Width / 2).Cast<UInt4>(),
            SketchSteps = arena.Singles(blocks * 16),
            ReferenceSketches = arena.BFloat16s(blocks * 16L * Sketch.Width / 2).Cast<UInt4>(),
            ReferenceScales = arena.Singles(2 * blocks * 16).Cast<Float2>(),
            ItemCount = blocks,
            Splits = 1,
            Stride = 1,
            HeadDim = HeadDim,
        };
        return references with
        {
            Items = arena.Upload([.. Enumerable.Range(0, Queries / 16).Select(i => new FlushItem(0, Context - Queries + (16 * i)))]),
            Groups = arena.Upload([.. Enumerable.Range(0, Queries / 64).Select(i => new SearchGroup(4 * i, 4))]),
            Rows = arena.Upload(queryRows),
            Sketches = arena.BFloat16s(Queries * Sketch.Width / 2).Cast<UInt4>(),
            SketchSteps = arena.Singles(Queries),
            CoarseCandidates = arena.Upload(new int[Queries * Sketch.Candidates]),
            Candidates = arena.Upload(new Candidate[Queries * Splits * 4]),
            ItemCount = Queries / 16,
            Splits = Splits,
            Stride = Stride,
        };
    }
}
