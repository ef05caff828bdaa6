using DeltaKV.Kernels.Gemm;

namespace DeltaKV.Benchmarks.Kernels;

/// <summary>Linear layers at the shapes of Llama-3.1-8B.</summary>
internal static class LinearCases
{
    internal static IEnumerable<KernelCase> All() =>
    [
        Case("gemv 4096->6144", 1, 6144, 4096),
        Case("gemv 4096->4096", 1, 4096, 4096),
        Case("gemv 4096->14336", 1, 14336, 4096),
        Case("gemv 14336->4096", 1, 4096, 14336),
        Case("gemv 4096->128256", 1, 128256, 4096),
        Case("gemv swiglu 4096->14336", 1, 14336, 4096, gates: true),
        Case("skinny m8 4096->4096", 8, 4096, 4096),
        Case("skinny m8 swiglu 4096->14336", 8, 14336, 4096, gates: true),
        Case("skinny m16 4096->4096", 16, 4096, 4096),
        Case("skinny m32 4096->4096", 32, 4096, 4096),
        Case("skinny m32 swiglu 4096->14336", 32, 14336, 4096, gates: true),
        Case("skinny m64 4096->4096", 64, 4096, 4096),
        Case("gemm m256 4096->4096", 256, 4096, 4096),
        Case("gemm m4096 4096->4096", 4096, 4096, 4096),
        Case("gemm m4096 4096->6144", 4096, 6144, 4096),
        Case("gemm m4096 14336->4096", 4096, 4096, 14336),
        Case("gemm m4096 swiglu 4096->14336", 4096, 14336, 4096, gates: true),
    ];

    private static KernelCase Case(string name, int m, int n, int k, bool gates = false)
    {
        var weights = (long)n * k * (gates ? 2 : 1);
        var isMatrixBound = m > 128;
        return new(name, 2.0 * (weights + ((long)m * k) + ((long)m * n)), isMatrixBound ? 2.0 * m * weights : 0, isMatrixBound ? 2 : 10, arena =>
        {
            var copies = KernelCase.CopiesOf(2 * weights);
            var (x, w, y) = (arena.BFloat16s((long)m * k), arena.BFloat16s(copies * weights), arena.BFloat16s((long)m * n));
            var linear = new Linear(arena.Accelerator);
            return i =>
            {
                var weight = w.SubView(i % copies * weights, weights);
                if (gates)
                    linear.LaunchSwiGlu(arena.Stream, x, weight, y, m, n, k);
                else
                    linear.Launch(arena.Stream, x, weight, y, m, n, k);
            };
        });
    }
}
