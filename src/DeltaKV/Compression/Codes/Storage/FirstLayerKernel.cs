using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>Takes keys and values out of rows of q, k, v: keys normed by head where the model does so, all widened from bf16 to halves.</summary>
/// <remarks>Shapes: qkv <c>[rows, qkvWidth]</c> bf16; out <c>[rows, 2 keyHeads d]</c> fp16. One warp per row and part. Runs once per model.</remarks>
internal sealed class FirstLayerKernel(Accelerator accelerator)
{
    private readonly KernelHandle<Arguments> extract = new(accelerator, Kernel);

    internal void Launch(
        AcceleratorStream stream, ArrayView<BFloat16> qkv, ArrayView<BFloat16> keyNorm, float epsilon, AttentionShape shape, ArrayView<uint> target, int count) =>
        extract.Launch(
            stream,
            new KernelConfig(new Index3D(2 * shape.KeyHeads, count, 1), new Index3D(32, 1, 1)),
            new Arguments
            {
                Qkv = qkv.Cast<BFloat16x2>(),
                KeyNorm = keyNorm.Cast<BFloat16x2>(),
                Target = target,
                Epsilon = epsilon,
                KeyHeads = shape.KeyHeads,
                Pairs = shape.HeadDim / 2,
                QueryPairs = shape.QueryHeads * shape.HeadDim / 2,
            });

    private static void Kernel(Arguments arguments)
    {
        var part = Grid.IdxX;
        var pairs = arguments.Pairs;
        var source = ((long)Grid.IdxY * (arguments.QueryPairs + (2 * arguments.KeyHeads * pairs))) + arguments.QueryPairs + (part * pairs);
        var target = (((long)Grid.IdxY * 2 * arguments.KeyHeads) + part) * pairs;
        var isNormed = part < arguments.KeyHeads && arguments.KeyNorm.Length > 0;
        var square = 0f;
        for (var i = Warp.LaneIdx; i < pairs; i += 32)
        {
            var value = arguments.Qkv[source + i];
            square += (value.Low * value.Low) + (value.High * value.High);
        }

        square = WarpReduce.Sum(square);
        var scale = isNormed ? FastMath.Rsqrt((square / (2 * pairs)) + arguments.Epsilon) : 1f;
        for (var i = Warp.LaneIdx; i < pairs; i += 32)
        {
            var value = arguments.Qkv[source + i];
            var low = value.Low * scale;
            var high = value.High * scale;
            if (isNormed)
            {
                low *= arguments.KeyNorm[i].Low;
                high *= arguments.KeyNorm[i].High;
            }

            arguments.Target[target + i] = Half2.FromSingles(low, high).Bits;
        }
    }

    private struct Arguments
    {
        public ArrayView<BFloat16x2> Qkv;
        public ArrayView<BFloat16x2> KeyNorm;
        public ArrayView<uint> Target;
        public float Epsilon;
        public int KeyHeads;
        public int Pairs;
        public int QueryPairs;
    }
}
