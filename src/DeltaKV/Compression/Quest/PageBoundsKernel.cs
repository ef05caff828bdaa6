using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Quest;

/// <summary>Bounds of the keys of pages: <c>largest[c] = max_t k[t,c]</c>, <c>smallest[c] = min_t k[t,c]</c> over the 16 tokens of each.</summary>
/// <remarks>
/// Shapes: keys <c>[block][keyHead][64][d]</c> bf16, bounds <c>[block][keyHead][4][d]</c> bf16. One group per page, a thread per pair of channels. Reads 32 bytes per channel once
/// in a page's life: bound by memory.
/// </remarks>
internal sealed class PageBoundsKernel(Accelerator accelerator)
{
    private const int Threads = 128;

    private readonly KernelHandle<Arguments> kernel = new(accelerator, Kernel);

    internal void Launch(AcceleratorStream stream, KvBlocks<BFloat16> keys, KvBlocks<BFloat16> bounds, ArrayView<PageBounds.Page> pages, AttentionShape shape) =>
        kernel.Launch(stream, new KernelConfig((int)pages.Length, Threads), new Arguments
        {
            Keys = keys.Keys.Cast<BFloat16x2>(),
            Largest = bounds.Keys.Cast<BFloat16x2>(),
            Smallest = bounds.Values.Cast<BFloat16x2>(),
            Tables = keys.Tables,
            TableStride = keys.TableStride,
            Pages = pages,
            KeyHeads = shape.KeyHeads,
            Pairs = shape.HeadDim / 2,
        });

    private static void Kernel(Arguments arguments)
    {
        var page = arguments.Pages[Grid.IdxX];
        var position = page.Number << PageBounds.PageShift;
        var block = (long)arguments.Tables[(page.Sequence * arguments.TableStride) + (position >> KvBlockLayout.Shift)];
        for (var i = Group.IdxX; i < arguments.KeyHeads * arguments.Pairs; i += Threads)
        {
            var row = (block * arguments.KeyHeads) + (i / arguments.Pairs);
            var pair = i % arguments.Pairs;
            var source = arguments.Keys.SubView((((row << KvBlockLayout.Shift) + (position & (KvBlockLayout.Size - 1))) * arguments.Pairs) + pair);
            var first = source[0];
            var largest = new Float2(first.Low, first.High);
            var smallest = largest;
            for (var token = 1; token < PageBounds.PageTokens; token++)
            {
                var value = source[token * arguments.Pairs];
                largest = new Float2(MathF.Max(largest.X, value.Low), MathF.Max(largest.Y, value.High));
                smallest = new Float2(MathF.Min(smallest.X, value.Low), MathF.Min(smallest.Y, value.High));
            }

            var target = (((row << (KvBlockLayout.Shift - PageBounds.PageShift)) + ((position & (KvBlockLayout.Size - 1)) >> PageBounds.PageShift)) * arguments.Pairs) + pair;
            arguments.Largest[target] = BFloat16x2.FromSingles(largest.X, largest.Y);
            arguments.Smallest[target] = BFloat16x2.FromSingles(smallest.X, smallest.Y);
        }
    }

    private struct Arguments
    {
        public ArrayView<BFloat16x2> Keys;
        public ArrayView<BFloat16x2> Largest;
        public ArrayView<BFloat16x2> Smallest;
        public ArrayView<int> Tables;
        public int TableStride;
        public ArrayView<PageBounds.Page> Pages;
        public int KeyHeads;
        public int Pairs;
    }
}
