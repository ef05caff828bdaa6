using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Benchmarks.Kernels;

/// <summary>The 32 layers of a Llama-3.1-8B decode step as one captured graph: what kernels cost in a row, gaps included.</summary>
internal static class LayerCases
{
    private const int Layers = 32;
    private const int Hidden = 4096;
    private const int Intermediate = 14336;

    /// <summary>Sets of weights that the layers take in turn: more than the L2 cache by far.</summary>
    private const int WeightSets = 4;

    private static readonly AttentionShape Shape = new(32, 8, 128);

    internal static IEnumerable<KernelCase> All() =>
    [
        Layer("layers b1 1k", 1, 1024),
        Layer("layers b8 4k", 8, 4096),
        Layer("layers b1 32k", 1, 32768),
        Layer("layers b8 32k", 8, 32768),
    ];

    private static KernelCase Layer(string name, int rows, int context)
    {
        var weightBytes = 2.0 * Hidden * (Shape.QkvWidth + Shape.OutputWidth + (3.0 * Intermediate));
        var cacheBytes = 4.0 * rows * context * Shape.KeyHeads * Shape.HeadDim;
        return new(name, Layers * (weightBytes + cacheBytes), 0, 1, arena =>
        {
            var graph = arena.Keep(Capture(arena, rows, context));
            return _ => graph.Launch(arena.Stream);
        });
    }

    private static AcceleratorGraph Capture(Arena arena, int rows, int context)
    {
        var stream = arena.Stream;
        var kernels = arena.Keep(new BFloat16Kernels(arena.Accelerator, Shape, rows));
        var tokens = new TokenRows(arena.Upload([.. Enumerable.Range(0, rows)]), arena.Upload([.. Enumerable.Repeat(context - 1, rows)]));
        // Two caches in turn: one alone might stay in L2 at short contexts.
        KvBlocks<BFloat16>[] caches =
        [
            AttentionCases.Cache(arena, Shape, rows, context / KvBlockLayout.Size), AttentionCases.Cache(arena, Shape, rows, context / KvBlockLayout.Size),
        ];
        var rope = new RopeWeights<BFloat16>(arena.Singles(Shape.HeadDim / 2), 1f, default, default, 0f);
        var sets = Enumerable.Range(0, WeightSets).Select(_ => new
        {
            Norm = arena.BFloat16s(Hidden),
            Qkv = arena.BFloat16s((long)Shape.QkvWidth * Hidden),
            Out = arena.BFloat16s((long)Hidden * Shape.OutputWidth),
            GateUp = arena.BFloat16s(2L * Intermediate * Hidden),
            Down = arena.BFloat16s((long)Hidden * Intermediate),
        }).ToArray();
        var hidden = arena.BFloat16s((long)rows * Hidden);
        var normed = arena.BFloat16s((long)rows * Hidden);
        var qkv = arena.BFloat16s((long)rows * Shape.QkvWidth);
        var attended = arena.BFloat16s((long)rows * Shape.OutputWidth);
        var activated = arena.BFloat16s((long)rows * Intermediate);
        for (var pass = 0; pass < 2; pass++)
        {
            // The first pass compiles and loads, the second is recorded.
            if (pass == 1)
                stream.BeginCapture();
            for (var layer = 0; layer < (pass == 0 ? 1 : Layers); layer++)
            {
                var weights = sets[layer % WeightSets];
                kernels.Norm(stream, hidden, weights.Norm, normed, rows, Hidden, 1e-5f);
                kernels.Linear(stream, normed, weights.Qkv, qkv, rows, Shape.QkvWidth, Hidden);
                kernels.RopeAppend(stream, qkv, tokens, caches[layer % 2], rope, rows);
                kernels.DecodeAttention(stream, qkv, tokens, caches[layer % 2], attended, rows);
                kernels.LinearAdd(stream, attended, weights.Out, hidden, hidden, rows, Hidden, Shape.OutputWidth);
                kernels.Norm(stream, hidden, weights.Norm, normed, rows, Hidden, 1e-5f);
                kernels.LinearSwiGlu(stream, normed, weights.GateUp, activated, rows, Intermediate, Hidden);
                kernels.LinearAdd(stream, activated, weights.Down, hidden, hidden, rows, Hidden, Intermediate);
            }
        }

        var graph = stream.EndCapture();
        graph.Instantiate();
        return graph;
    }
}
