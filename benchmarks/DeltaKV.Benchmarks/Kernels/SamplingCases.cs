using DeltaKV.Kernels.Sampling;

namespace DeltaKV.Benchmarks.Kernels;

/// <summary>The choice of tokens over Llama 3's vocabulary. The floor is one read of the logits; one group per row cannot reach it.</summary>
internal static class SamplingCases
{
    private const int Vocabulary = 128_256;

    // Logits here lie within [-1, 1): a temperature of 0.05 spreads them over 58 bits, one of 1 crowds them into 3.
    private static readonly SamplingRow Spread = new() { Scale = 1.4426951f / 0.05f, MaxKey = uint.MaxValue, NewToken = -1 };
    private static readonly SamplingRow Crowded = Spread with { Scale = 1.4426951f };

    internal static IEnumerable<KernelCase> All() =>
    [
        Case("sample greedy b1", 1, default),
        Case("sample greedy b32", 32, default),
        Case("sample t b32", 32, Spread),
        Case("sample t k50 p0.9 b32", 32, Spread with { TopK = 50, TopP = 3_865_470_566 }),
        Case("sample t p0.9 crowded b32", 32, Crowded with { TopP = 3_865_470_566 }),
    ];

    private static KernelCase Case(string name, int rows, SamplingRow row) => new(name, 4.0 * rows * Vocabulary, 0, 1, arena =>
    {
        var logits = arena.Singles((long)rows * Vocabulary);
        var parameters = arena.Upload([.. Enumerable.Repeat(row, rows).Select((r, i) => r with { Seed = (ulong)i })]);
        var tokens = arena.Upload(new int[rows]);
        var sampling = new SamplingKernel(arena.Accelerator);
        return launch => sampling.Launch(arena.Stream, logits, parameters, default, default, tokens, rows, Vocabulary);
    });
}
