using DeltaKV.Cache.Reading;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Compression.Kivi;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Benchmarks.Kernels;

/// <summary>
/// One layer quantised as in KIVI at the heads of Llama-3.1-8B, 16 sinks and 64 tokens raw; its compression in all layers. Bytes are those that the quantised form
/// moves, so the share of the copy's rate says how far from its own floor a read is.
/// </summary>
internal static class KiviCases
{
    private static readonly AttentionShape Shape = new(32, 8, 128);

    internal static IEnumerable<KernelCase> All() =>
    [
        Decode("kivi-8 decode b1 128k", 8, 8, 1, 131072),
        Decode("kivi-4 decode b1 4k", 4, 4, 1, 4096),
        Decode("kivi-4 decode b1 32k", 4, 4, 1, 32768),
        Decode("kivi-4 decode b1 128k", 4, 4, 1, 131072),
        Decode("kivi-4 decode b3 128k", 4, 4, 3, 131072),
        Decode("kivi-4 decode observed b1 128k", 4, 4, 1, 131072, isObserved: true),
        Decode("kivi-4 decode observed b3 128k", 4, 4, 3, 131072, isObserved: true),
        Decode("kivi-4 decode b8 32k", 4, 4, 8, 32768),
        Decode("kivi-8-4 decode b1 128k", 8, 4, 1, 131072),
        Decode("kivi-4-2 decode b1 128k", 4, 2, 1, 131072),
        Decode("kivi-2 decode b1 128k", 2, 2, 1, 131072),
        Decode("kivi-4 decode, general, b1 128k", 4, 4, 1, 131072, isGeneral: true),
        Observe("kivi-4 observe b1 128k", 4, 131072),
        Reconstruct("kivi-4 reconstruct 32k", 4, 32768),
        Encode("kivi-8 encode 256, 32 layers", 8),
        Encode("kivi-4 encode 256, 32 layers", 4),
        Encode("kivi-2 encode 256, 32 layers", 2),
    ];

    private static double TokenBytes(int keyBits, int valueBits) => (double)Shape.KeyHeads * new KiviCode(keyBits, valueBits).HeadBytes(Shape.HeadDim) / KiviCode.GroupSize;

    private static KernelCase Decode(string name, int keyBits, int valueBits, int rows, int context, bool isGeneral = false, bool isObserved = false) =>
        new(name, TokenBytes(keyBits, valueBits) * rows * context, 0, 3, arena =>
        {
            var arguments = Arguments(arena, keyBits, valueBits, rows, context);
            if (isObserved)
                arguments = arguments with { LogSumExp = arena.Singles((long)rows * Shape.QueryHeads), Logits = CodedCases.Logits(arena, rows, context) };
            IDecodeKernel<KiviReader> kernel = isGeneral ? new ReaderDecodeKernel<KiviReader>(arena.Accelerator) : new KiviDecodeKernel(arena.Accelerator);
            return _ => kernel.Launch(arena.Stream, arguments, Shape, rows);
        });

    private static KernelCase Observe(string name, int bits, int context) => new(name, TokenBytes(bits, bits) / 2 * context, 0, 3, arena =>
    {
        var arguments = Arguments(arena, bits, bits, 1, context) with { LogSumExp = arena.Singles(Shape.QueryHeads) };
        var scores = arena.Singles(context);
        var kernel = new KiviScoreKernel(arena.Accelerator);
        return _ => kernel.Launch(arena.Stream, arguments, scores, context, 1, Shape, 1);
    });

    private static KernelCase Reconstruct(string name, int bits, int context) =>
        new(name, (TokenBytes(bits, bits) + (4.0 * Shape.KeyHeads * Shape.HeadDim)) * context, 0, 1, arena =>
        {
            var arguments = Arguments(arena, bits, bits, 1, context);
            var keys = arena.BFloat16s((long)context * Shape.KeyHeads * Shape.HeadDim);
            var values = arena.BFloat16s((long)context * Shape.KeyHeads * Shape.HeadDim);
            var kernel = new ReconstructKernel<KiviReader>(arena.Accelerator);
            return _ => kernel.Launch(arena.Stream, arguments.Reader, TokenOrder.All(arguments.Order.Bounds), 0, context, 0, keys, values, Shape);
        });

    /// <summary>Reads every raw token once and writes its codes.</summary>
    private static KernelCase Encode(string name, int bits)
    {
        const int Layers = 32;
        const int Tokens = 256;
        var bytes = TokenBytes(bits, bits) + (4.0 * Shape.KeyHeads * Shape.HeadDim);
        return new(name, bytes * Layers * Tokens, 0, 1, arena =>
        {
            var units = Shape.KeyHeads * KiviLayout.HeadUnits(Shape.HeadDim, bits, bits);
            var pool = Pool(arena, Layers * units, 1, Tokens);
            var table = arena.Upload([.. Enumerable.Range(0, Layers).Select(layer => new KiviLayer { FirstUnit = layer * units, KeyBits = bits, ValueBits = bits })]);
            var items = arena.Upload([.. Enumerable.Range(0, Tokens / 16).Select(i => new FlushItem(0, 16 * i))]);
            var elements = (long)Tokens * Shape.KeyHeads * Shape.HeadDim;
            var raw = new KvBlocks<BFloat16>(
                arena.BFloat16s(Layers * elements), arena.BFloat16s(Layers * elements), arena.Upload(Scattered(Tokens / 16)), Tokens / 16, 4);
            var kernel = new KiviEncodeKernel(arena.Accelerator);
            return _ => kernel.Launch(arena.Stream, pool, table, items, raw, elements, Shape.HeadDim);
        });
    }

    private static DecodeArguments<KiviReader> Arguments(Arena arena, int keyBits, int valueBits, int rows, int context)
    {
        var splits = Math.Max(1, arena.Accelerator.NumMultiprocessors * 4 / (rows * Shape.KeyHeads));
        var window = arena.BFloat16s(16L * 16 * Shape.KeyHeads * Shape.HeadDim).Cast<BFloat16x8>();
        var raw = new KvBlocks<BFloat16x8>(window, window, arena.Upload([.. Enumerable.Range(0, context / 16).Select(i => i % 16)]), 0, 4);
        var pool = Pool(arena, Shape.KeyHeads * KiviLayout.HeadUnits(Shape.HeadDim, keyBits, valueBits), rows, context);
        return new DecodeArguments<KiviReader>
        {
            Reader = new KiviReader(pool, new KiviLayer { KeyBits = keyBits, ValueBits = valueBits }, raw),
            Rows = new TokenRows(arena.Upload([.. Enumerable.Range(0, rows)]), arena.Upload([.. Enumerable.Repeat(context - 1, rows)])),
            Order = new TokenOrder(arena.Upload([.. Enumerable.Repeat(new ReadBounds(32, context - 64), rows)]), default, default, 0),
            Qkv = arena.BFloat16s((long)rows * Shape.QkvWidth).Cast<uint>(),
            Output = arena.BFloat16s((long)rows * Shape.OutputWidth).Cast<BFloat16x2>(),
            PartialOutput = arena.Singles((long)rows * splits * Shape.OutputWidth),
            PartialSoftmax = arena.Singles(2L * rows * splits * Shape.QueryHeads).Cast<Float2>(),
            Splits = splits,
        };
    }

    /// <summary>Scattered blocks of random bits, those of halves below 2.</summary>
    private static KiviPool Pool(Arena arena, int blockUnits, int sequences, int context)
    {
        var blocks = sequences * context / KiviCode.GroupSize;
        return new KiviPool(arena.BFloat16s(8L * blocks * blockUnits).Cast<UInt4>(), arena.Upload(Scattered(blocks)), context / KiviCode.GroupSize, blockUnits, Shape.KeyHeads);
    }

    private static int[] Scattered(int blocks) => [.. Enumerable.Range(0, blocks).Select(i => (int)((long)i * 7919 % blocks))];
}
