using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>Makes rows of what a decoder says of listed tokens: <c>kv = mean + mean_n reference_n + y</c>, keys turned to their positions, rounded once to bf16.</summary>
/// <remarks>
/// Shapes: y <c>[tokens, width]</c> halves; rows <c>[block][keyHead][slots of a block][d]</c> bf16. A thread per token, part (keys or values of a head) and eight pairs of elements that RoPE turns together. Moves
/// <c>4 + 2 neighbours</c> bytes per element: bound by memory.
/// </remarks>
internal sealed class RestoreKernel(Accelerator accelerator)
{
    private const int Threads = 128;

    private readonly KernelHandle<Arguments> restore = new(accelerator, Kernel);

    internal void Launch(
        AcceleratorStream stream, CodePoolView pool, int layer, int headDim, ArrayView<DecodeToken> tokens, ArrayView<uint> decoded, KvBlocks<BFloat16> target, int count)
    {
        var arguments = new Arguments
        {
            Pool = pool,
            Layer = layer,
            HeadDim = headDim,
            Tokens = tokens,
            Decoded = decoded.Cast<UInt4>(),
            Keys = target.Keys.Cast<UInt4>(),
            Values = target.Values.Cast<UInt4>(),
            BlockShift = target.BlockShift,
            Count = count,
        };
        var work = (long)count * 2 * pool.KeyHeads * (headDim / 16);
        restore.Launch(stream, new KernelConfig((int)((work + Threads - 1) / Threads), Threads), arguments);
    }

    private static void Kernel(Arguments arguments)
    {
        var pool = arguments.Pool;
        var lanes = arguments.HeadDim / 16;
        var parts = 2 * pool.KeyHeads;
        var work = ((long)Grid.IdxX * Threads) + Group.IdxX;
        var index = (int)(work / (parts * lanes));
        if (index >= arguments.Count)
            return;
        var token = arguments.Tokens[index];
        if (token.Position < 0)
            return;
        var rest = (int)(work - ((long)index * parts * lanes));
        var part = rest / lanes;
        var element = 8 * (rest % lanes);
        var code = pool.LayerCodes[arguments.Layer];

        var half = arguments.HeadDim / 2;
        var first = (part * arguments.HeadDim) + element;
        var width = parts * arguments.HeadDim;
        var row = (long)index * (width / 8);
        var low = LocalMemory.Allocate<Float2>(4);
        var high = LocalMemory.Allocate<Float2>(4);
        Start(pool.Mean, ((arguments.Layer * width) + first) / 2, low);
        Start(pool.Mean, ((arguments.Layer * width) + first + half) / 2, high);
        Add(arguments.Decoded[row + (first / 8)], 1f, low);
        Add(arguments.Decoded[row + ((first + half) / 8)], 1f, high);
        if (code.Neighbours > 0)
        {
            var ids = pool.RecordOf(code, token.Sequence, token.Position) + code.IdWord;
            for (var n = 0; n < code.Neighbours; n++)
            {
                var word = pool.Records[ids + (n >> 1)];
                var reference = pool.ReferenceOf(code, token.Sequence, (int)((n & 1) == 0 ? word & 0xffff : word >> 16));
                Add(ReferenceRow.LoadEight(pool.References, reference, pool.ReferenceBits, parts, arguments.HeadDim, part, element), 1f / code.Neighbours, low);
                Add(ReferenceRow.LoadEight(pool.References, reference, pool.ReferenceBits, parts, arguments.HeadDim, part, element + half), 1f / code.Neighbours, high);
            }
        }

        var isValue = part >= pool.KeyHeads;
        if (!isValue)
        {
            for (var i = 0; i < Unroll.Full(4); i++)
                Rotate(pool, token.Position, element + (2 * i), ref low[i], ref high[i]);
        }

        var head = isValue ? part - pool.KeyHeads : part;
        var target = KvBlockLayout.RowOf(token.Slot >> arguments.BlockShift, pool.KeyHeads, head, token.Slot, arguments.BlockShift);
        var at = (target * (arguments.HeadDim / 8)) + (element / 8);
        var rows = isValue ? arguments.Values : arguments.Keys;
        rows[at] = Pack(low);
        rows[at + (half / 8)] = Pack(high);
    }

    private static void Start(ArrayView<Float2> mean, int pair, ArrayView<Float2> sums)
    {
        for (var i = 0; i < Unroll.Full(4); i++)
            sums[i] = mean[pair + i];
    }

    private static void Add(UInt4 eight, float weight, ArrayView<Float2> sums)
    {
        sums[0] = Plus(sums[0], eight.X, weight);
        sums[1] = Plus(sums[1], eight.Y, weight);
        sums[2] = Plus(sums[2], eight.Z, weight);
        sums[3] = Plus(sums[3], eight.W, weight);
    }

    private static Float2 Plus(Float2 sum, uint pair, float weight)
    {
        var halves = new Half2(pair);
        return new Float2(FastMath.Fma(halves.Low, weight, sum.X), FastMath.Fma(halves.High, weight, sum.Y));
    }

    private static void Rotate(CodePoolView pool, int position, int element, ref Float2 low, ref Float2 high)
    {
        var even = RopeRotation.Of(position * pool.InverseFrequencies[element], pool.RopeScale);
        var odd = RopeRotation.Of(position * pool.InverseFrequencies[element + 1], pool.RopeScale);
        var (x, y) = (low, high);
        low = new Float2((x.X * even.X) - (y.X * even.Y), (x.Y * odd.X) - (y.Y * odd.Y));
        high = new Float2((y.X * even.X) + (x.X * even.Y), (y.Y * odd.X) + (x.Y * odd.Y));
    }

    private static UInt4 Pack(ArrayView<Float2> sums) => new(Pack(sums[0]), Pack(sums[1]), Pack(sums[2]), Pack(sums[3]));

    private static uint Pack(Float2 pair) => BFloat16x2.FromSingles(pair.X, pair.Y).Bits;

    private struct Arguments
    {
        public CodePoolView Pool;
        public int Layer;
        public int HeadDim;
        public ArrayView<DecodeToken> Tokens;
        public ArrayView<UInt4> Decoded;
        public ArrayView<UInt4> Keys;
        public ArrayView<UInt4> Values;
        public int BlockShift;
        public int Count;
    }
}
