using DeltaKV.Cache.Reading;
using DeltaKV.Cache.Selection;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Compression.Codes.Reading;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Benchmarks.Kernels;

/// <summary>
/// One layer of compressed keys and values at the heads of Llama-3.1-8B: reading, observing, selecting, compressing. The bytes of a read are those that an uncompressed
/// cache of the same tokens would move, so a rate above the copy's means faster than any full attention.
/// </summary>
internal static class CodedCases
{
    private const int Stride = 10;
    private static readonly AttentionShape Shape = new(32, 8, 128);

    internal static IEnumerable<KernelCase> All() =>
    [
        Read("coded klt512 b1 32k", Klt(512), 1, 32768, 0),
        Read("coded klt512 b1 128k", Klt(512), 1, 131072, 0),
        Read("coded klt512 b3 128k", Klt(512), 3, 131072, 0),
        Read("coded klt512 b32 128k", Klt(512), 32, 131072, 0),
        Read("coded klt512 b8 32k", Klt(512), 8, 32768, 0),
        Read("coded klt256 b1 128k", Klt(256), 1, 131072, 0),
        Read("coded klt256 b32 128k", Klt(256), 32, 131072, 0),
        Read("coded klt512 top2048 b1 128k", Klt(512), 1, 131072, 2048),
        Read("coded klt512 top2048 b3 128k", Klt(512), 3, 131072, 2048),
        Read("coded klt512 top2048 b32 32k", Klt(512), 32, 32768, 2048),
        Read("coded klt256 top2048 b3 128k", Klt(256), 3, 131072, 2048),
        Read("coded published b1 128k", Published(), 1, 131072, 0),
        Read("coded published top2048 b1 128k", Published(), 1, 131072, 2048),
        Read("coded published top2048 b3 128k", Published(), 3, 131072, 2048),
        Read("coded latents512 b1 128k", Published() with { Neighbours = 0 }, 1, 131072, 0),
        Read("coded int4 b1 128k", Hadamard(ChunkWidth.Bits4), 1, 131072, 0),
        Read("coded int4 b8 32k", Hadamard(ChunkWidth.Bits4), 8, 32768, 0),
        Read("coded int3 b1 128k", Hadamard(ChunkWidth.Bits3), 1, 131072, 0),
        Read("coded int3 b8 32k", Hadamard(ChunkWidth.Bits3), 8, 32768, 0),
        Read("coded general klt512 b1 128k", Klt(512), 1, 131072, 0, general: true),
        Prefill("coded prefill klt512 2k over 32k", Klt(512), 2048, 32768),
        First("coded first recomputed b1 128k", 1, 131072, 128256),
        First("coded first recomputed b3 128k", 3, 131072, 128256),
        First("coded first recomputed b8 32k", 8, 32768, 128256),
        First("coded first recomputed b1 128k, 16k words", 1, 131072, 16384),
        Observe("coded observe again b1 128k", 131072),
        ObserveCodes("coded observe again klt512 b1 128k", Klt(512), 131072),
        ObservedDecode("coded decode observed b1 128k", 1, 131072),
        Read("coded klt512 observed b1 128k", Klt(512), 1, 131072, 0, observed: true),
        Scores("coded observe b1 128k", 1, 131072, select: false),
        Scores("coded observe b3 128k", 3, 131072, select: false),
        Scores("coded observe, select b1 128k", 1, 131072, select: true),
        Scores("coded observe, select b3 128k", 3, 131072, select: true),
        Top("coded top2048 b1 128k", 131072),
        Compress("coded compress published 256 at 128k, 4 layers", Published(), 131072, 4),
        Compress("coded compress klt512 256, 4 layers", Klt(512), 131072, 4),
    ];

    private static KernelCase Read(string name, LinearCodec codec, int rows, int context, int top, bool general = false, bool observed = false) =>
        new(name, 4.0 * rows * (top > 0 ? top : context) * Shape.KeyHeads * Shape.HeadDim, 0, 3, arena =>
        {
            var tables = arena.Keep(new CodeTables(arena.Accelerator, [codec]));
            var pool = Pool(arena, tables, rows, context, codec);
            var selected = top == 0 ? default : arena.Upload([.. Enumerable.Range(0, rows * top).Select(i => 16 + (i % top * ((context - 96) / top)))]);
            var counts = top == 0 ? default : arena.Upload([.. Enumerable.Repeat(top, rows)]);
            var bounds = arena.Upload([.. Enumerable.Repeat(new ReadBounds(16, context - 64), rows)]);
            var splits = Math.Max(1, arena.Accelerator.NumMultiprocessors * 4 / (rows * Shape.KeyHeads));
            var arguments = new DecodeArguments<CodeReader>
            {
                Reader = new CodeReader(pool, Raw(arena, rows, context), 0),
                Rows = new TokenRows(arena.Upload([.. Enumerable.Range(0, rows)]), arena.Upload([.. Enumerable.Repeat(context - 1, rows)])),
                Order = new TokenOrder(bounds, selected, counts, top),
                Qkv = arena.BFloat16s((long)rows * Shape.QkvWidth).Cast<uint>(),
                Output = arena.BFloat16s((long)rows * Shape.OutputWidth).Cast<BFloat16x2>(),
                PartialOutput = arena.Singles((long)rows * splits * Shape.OutputWidth),
                PartialSoftmax = arena.Singles(2L * rows * splits * Shape.QueryHeads).Cast<Float2>(),
                Splits = splits,
                Logits = observed ? Logits(arena, rows, context) : default,
                LogSumExp = observed ? arena.Singles((long)rows * Shape.QueryHeads) : default,
            };
            var latent = arena.Keep(new LatentDecode(arena.Accelerator, Shape, [codec], tables, rows));
            IDecodeKernel<CodeReader> kernel = general ? new ReaderDecodeKernel<CodeReader>(arena.Accelerator) : latent;
            return _ => kernel.Launch(arena.Stream, arguments, Shape, rows);
        });

    private static KernelCase Prefill(string name, LinearCodec codec, int tokens, int context) =>
        new(name, 0, 4.0 * Shape.QueryHeads * Shape.HeadDim * tokens * context, 1, arena =>
        {
            var tiles = new PrefillTile[PrefillTile.CountOf(tokens)];
            PrefillTile.Cut(0, 0, tokens, context - tokens, tiles);
            var arguments = new PrefillReadArguments<CodeReader>
            {
                Reader = new CodeReader(Pool(arena, [codec], 1, context), Raw(arena, 1, context), 0),
                Tiles = arena.Upload(tiles),
                Order = new TokenOrder(arena.Upload([new ReadBounds(16, context - tokens - 64)]), default, default, 0),
                Qkv = arena.BFloat16s((long)tokens * Shape.QkvWidth).Cast<uint>(),
                Output = arena.BFloat16s((long)tokens * Shape.OutputWidth).Cast<BFloat16x2>(),
            };
            var kernel = new ReaderPrefillKernel<CodeReader>(arena.Accelerator);
            return _ => kernel.Launch(arena.Stream, arguments, Shape, tiles.Length);
        });

    private static KernelCase Observe(string name, int context) => new(name, 2.0 * context * Shape.KeyHeads * Shape.HeadDim, 0, 3, arena =>
    {
        var cache = AttentionCases.Cache(arena, Shape, 1, context / KvBlockLayout.Size);
        var arguments = new DecodeArguments<RawReader>
        {
            Reader = new RawReader(new KvBlocks<BFloat16x8>(cache.Keys.Cast<BFloat16x8>(), cache.Values.Cast<BFloat16x8>(), cache.Tables, cache.TableStride), Shape.KeyHeads),
            Rows = new TokenRows(arena.Upload([0]), arena.Upload([context - 1])),
            Order = new TokenOrder(arena.Upload([new ReadBounds(16, context - 64)]), default, default, 0),
            Qkv = arena.BFloat16s(Shape.QkvWidth).Cast<uint>(),
            LogSumExp = arena.Singles(Shape.QueryHeads),
        };
        var scores = arena.Singles(context);
        var kernel = new ScoreKernel<RawReader>(arena.Accelerator);
        return _ => kernel.Launch(arena.Stream, arguments, scores, context, 1, Shape, 1);
    });

    private static KernelCase ObserveCodes(string name, LinearCodec codec, int context) => new(name, 2.0 * context * Shape.KeyHeads * Shape.HeadDim, 0, 3, arena =>
    {
        var tables = arena.Keep(new CodeTables(arena.Accelerator, [codec]));
        var arguments = new DecodeArguments<CodeReader>
        {
            Reader = new CodeReader(Pool(arena, tables, 1, context, codec), Raw(arena, 1, context), 0),
            Rows = new TokenRows(arena.Upload([0]), arena.Upload([context - 1])),
            Order = new TokenOrder(arena.Upload([new ReadBounds(16, context - 64)]), default, default, 0),
            Qkv = arena.BFloat16s(Shape.QkvWidth).Cast<uint>(),
            LogSumExp = arena.Singles(Shape.QueryHeads),
        };
        var scores = arena.Singles(context);
        var kernel = arena.Keep(new LatentDecode(arena.Accelerator, Shape, [codec], tables, 1));
        return _ => kernel.Launch(arena.Stream, arguments, scores, context, 1, Shape, 1);
    });

    /// <summary>The recomputed layer: rows of a table by words of a vocabulary, all equally frequent.</summary>
    private static KernelCase First(string name, int rows, int context, int vocabulary) =>
        new(name, 4.0 * rows * context * Shape.KeyHeads * Shape.HeadDim, 0, 3, arena =>
        {
            var random = new Random(4);
            var codec = FirstLayerTable.Codec(Shape.KeyHeads, Shape.HeadDim);
            var tables = arena.Keep(new CodeTables(arena.Accelerator, [codec], 0));
            var table = arena.BFloat16s((long)vocabulary * 2 * Shape.KeyHeads * Shape.HeadDim);
            // Halves below a half's infinity.
            var pool = Pool(arena, tables, rows, context, codec) with
            {
                TokenRows = arena.Halves(table),
                TokenIds = arena.Upload([.. Enumerable.Range(0, rows * context).Select(_ => random.Next(vocabulary))]),
                TokenStride = context,
            };
            var arguments = new DecodeArguments<CodeReader>
            {
                Reader = new CodeReader(pool, Raw(arena, rows, context), 0),
                Rows = new TokenRows(arena.Upload([.. Enumerable.Range(0, rows)]), arena.Upload([.. Enumerable.Repeat(context - 1, rows)])),
                Order = new TokenOrder(arena.Upload([.. Enumerable.Repeat(new ReadBounds(16, context - 64), rows)]), default, default, 0),
                Qkv = arena.BFloat16s((long)rows * Shape.QkvWidth).Cast<uint>(),
                Output = arena.BFloat16s((long)rows * Shape.OutputWidth).Cast<BFloat16x2>(),
            };
            var latent = arena.Keep(new LatentDecode(arena.Accelerator, Shape, [codec], tables, rows, recomputed: 0));
            return _ => latent.Launch(arena.Stream, arguments, Shape, rows);
        });

    /// <summary>A raw observation layer's attention, which leaves its scores behind.</summary>
    private static KernelCase ObservedDecode(string name, int rows, int context) =>
        new(name, 4.0 * rows * context * Shape.KeyHeads * Shape.HeadDim, 0, 3, arena =>
        {
            var cache = AttentionCases.Cache(arena, Shape, rows, context / KvBlockLayout.Size);
            var arguments = new DecodeArguments<RawReader>
            {
                Reader = new RawReader(new KvBlocks<BFloat16x8>(cache.Keys.Cast<BFloat16x8>(), cache.Values.Cast<BFloat16x8>(), cache.Tables, cache.TableStride), Shape.KeyHeads),
                Rows = new TokenRows(arena.Upload([.. Enumerable.Range(0, rows)]), arena.Upload([.. Enumerable.Repeat(context - 1, rows)])),
                Order = TokenOrder.All(arena.Upload([.. Enumerable.Repeat(new ReadBounds(16, context - 64), rows)])),
                Qkv = arena.BFloat16s((long)rows * Shape.QkvWidth).Cast<uint>(),
                Output = arena.BFloat16s((long)rows * Shape.OutputWidth).Cast<BFloat16x2>(),
                LogSumExp = arena.Singles((long)rows * Shape.QueryHeads),
                Logits = Logits(arena, rows, context),
            };
            var kernel = arena.Keep(new ObservedDecode(arena.Accelerator, Shape, rows));
            return _ => kernel.Launch(arena.Stream, arguments, Shape, rows);
        });

    /// <summary>Scores from what attention left behind, and the selection from them. The bytes are those of the logits and of the scores.</summary>
    private static KernelCase Scores(string name, int rows, int context, bool select) => new(name, rows * context * ((2.0 * Shape.QueryHeads) + 4), 0, 3, arena =>
    {
        var logits = Logits(arena, rows, context);
        var tokens = new TokenRows(arena.Upload([.. Enumerable.Range(0, rows)]), arena.Upload([.. Enumerable.Repeat(context - 1, rows)]));
        var bounds = arena.Upload([.. Enumerable.Repeat(new ReadBounds(16, context - 64), rows)]);
        var candidates = arena.Keep(new TopCandidates(arena.Accelerator, rows, context));
        var selection = TopTokensKernel.Arguments(
            tokens, bounds, arena.Singles((long)rows * context), context, arena.Upload(new int[rows * 2048]), 2048, arena.Upload(new int[rows]), new SelectionBudget(2048, 0f));
        selection.Histograms = select ? candidates.HistogramsFor(rows, context) : default;
        var logSumExp = arena.Singles((long)rows * Shape.QueryHeads);
        var (score, top) = (new LogitScores(arena.Accelerator), new TopTokensKernel(arena.Accelerator, candidates));
        return _ =>
        {
            score.Launch(arena.Stream, selection, TokenOrder.All(bounds), logits, logSumExp, 1, Shape, rows);
            if (select)
                top.Launch(arena.Stream, selection, rows);
        };
    });

    /// <summary>Logits of tokens that all heads find more or less relevant: weights spread over 29 binary orders of magnitude.</summary>
    internal static TokenLogits Logits(Arena arena, int rows, int context)
    {
        var random = new Random(1);
        var relevance = Enumerable.Range(0, rows * context).Select(_ => -29f * random.NextSingle()).ToArray();
        var pairs = new uint[rows * context * Shape.QueryHeads / 2];
        for (var i = 0; i < pairs.Length; i++)
        {
            // Rows, key heads, tokens, pairs.
            var token = (i / (Shape.QueryHeads / 2 * context) * context) + (i / TokenLogits.WidthOf(Shape.GroupSize) % context);
            pairs[i] = Half2.FromSingles(relevance[token] + random.NextSingle(), relevance[token] + random.NextSingle()).Bits;
        }

        return new(arena.Upload(pairs), context, Shape.GroupSize);
    }

    private static KernelCase Top(string name, int context) => new(name, 4.0 * context, 0, 3, arena =>
    {
        var random = new Random(1);
        var scores = arena.Upload([.. Enumerable.Range(0, context).Select(_ => MathF.Exp(-20f * random.NextSingle()))]);
        var rows = new TokenRows(arena.Upload([0]), arena.Upload([context - 1]));
        var bounds = arena.Upload([new ReadBounds(16, context - 64)]);
        var lists = arena.Upload(new int[2048]);
        var counts = arena.Upload(new int[1]);
        var kernel = new TopTokensKernel(arena.Accelerator, arena.Keep(new TopCandidates(arena.Accelerator, 1, context)));
        return _ => kernel.Launch(arena.Stream, TopTokensKernel.Arguments(rows, bounds, scores, context, lists, 2048, counts, new SelectionBudget(2048, 0f)), 1);
    });

    /// <summary>The last 256 tokens of a long prompt: gather, references, search, encode.</summary>
    private static KernelCase Compress(string name, LinearCodec codec, int context, int layers)
    {
        var width = 2.0 * Shape.KeyHeads * Shape.HeadDim;
        var search = codec.Neighbours > 0 ? 2 * width * context / Stride : 0;
        var encode = 2 * width * codec.Groups.Sum(group => group.Dimensions);
        return new(name, 0, 256 * layers * (search + encode), 1, arena =>
        {
            var tables = arena.Keep(new CodeTables(arena.Accelerator, [.. Enumerable.Repeat(codec, layers)]));
            var pool = Pool(arena, tables, 1, context, codec);
            var splits = Math.Clamp(arena.Accelerator.NumMultiprocessors * 2 / (4 * layers), 1, 16);
            var flush = new FlushView
            {
                Pool = pool,
                Items = arena.Upload([.. Enumerable.Range(0, 16).Select(i => new FlushItem(0, context - 512 + (16 * i)))]),
                Groups = arena.Upload([.. Enumerable.Range(0, 4).Select(i => new SearchGroup(4 * i, 4))]),
                Units = tables.Units,
                Down = tables.Down,
                Center = tables.Center,
                Rows = arena.BFloat16s(layers * 256L * tables.Width).Cast<uint>(),
                Candidates = arena.Singles(layers * 256L * splits * 8).Cast<Candidate>(),
                ItemCount = 16,
                Splits = splits,
                Stride = Stride,
                Origin = 16,
                HeadDim = Shape.HeadDim,
            };
            var raw = Raw(arena, 1, 1024, layers);
            var (gather, store, find, coder) = (new GatherKernel(arena.Accelerator), new StoreReferencesKernel(arena.Accelerator), new SearchKernel(arena.Accelerator), new EncodeKernel(arena.Accelerator));
            return _ =>
            {
                gather.Launch(arena.Stream, flush, new KvBlocks<BFloat16>(raw.Keys.Cast<BFloat16>(), raw.Values.Cast<BFloat16>(), raw.Tables, 0, 4), raw.Keys.Length * 4 / layers);
                store.Launch(arena.Stream, flush);
                find.Launch(arena.Stream, flush, 4);
                coder.Launch(arena.Stream, flush);
            };
        });
    }

    internal static CodePoolView Pool(Arena arena, LinearCodec[] codecs, int sequences, int context) =>
        Pool(arena, arena.Keep(new CodeTables(arena.Accelerator, codecs)), sequences, context, codecs[0]);

    /// <summary>Scattered blocks of records with valid reference ids and otherwise random bits below a half's infinity.</summary>
    internal static CodePoolView Pool(Arena arena, CodeTables tables, int sequences, int context, LinearCodec codec)
    {
        var blocks = sequences * context / 16;
        var layers = tables.Layers.Count;
        var references = context / Stride;
        var referenceBlocks = (references / 16) + 1;
        var random = new Random(3);
        var records = new uint[blocks * tables.BlockWords];
        for (var i = 0; i < records.Length; i++)
            records[i] = (uint)random.Next() & 0x3BFF3BFF;
        var layout = RecordLayout.Of(codec);
        for (var record = 0; codec.Neighbours > 0 && record < records.Length; record += layout.Words)
        {
            for (var n = 0; n < (codec.Neighbours + 1) / 2; n++)
                records[record + layout.IdWord + n] = (uint)random.Next(references) | ((uint)random.Next(references) << 16);
        }

        var referenceWords = ReferenceRow.WordsOf(16, 2 * Shape.KeyHeads, Shape.HeadDim);
        var hasReferences = codec.Neighbours > 0;
        return tables.View(arena.Singles(Shape.HeadDim / 2)) with
        {
            Records = arena.Upload(records),
            BlockTables = arena.Upload(Scattered(blocks)),
            BlockStride = context / 16,
            References = arena.BFloat16s(hasReferences ? 2L * referenceBlocks * sequences * layers * 16 * referenceWords : 16).Cast<uint>(),
            ReferenceNorms = arena.Singles(hasReferences ? referenceBlocks * sequences * layers * 16L : 16),
            ReferenceTables = arena.Upload(Scattered(referenceBlocks * sequences)),
            ReferenceStride = referenceBlocks,
            ReferenceBits = 16,
            ReferenceWords = referenceWords,
        };
    }

    /// <summary>A window of raw blocks that every 16 positions share.</summary>
    internal static KvBlocks<BFloat16x8> Raw(Arena arena, int sequences, int context, int layers = 1)
    {
        var keys = arena.BFloat16s((long)layers * 16 * 16 * Shape.KeyHeads * Shape.HeadDim).Cast<BFloat16x8>();
        return new(keys, keys, arena.Upload([.. Enumerable.Range(0, 131072 / 16).Select(i => i % 16)]), 0, 4);
    }

    private static int[] Scattered(int blocks) => [.. Enumerable.Range(0, blocks).Select(i => (int)((long)i * 7919 % blocks))];

    /// <summary>A calibrated transform of so many bits: an eighth in bytes, the rest in nibbles.</summary>
    private static LinearCodec Klt(int bits)
    {
        var chunks = bits / 128;
        return Dense([.. Enumerable.Range(0, chunks).Select(i => i < Math.Max(1, chunks / 4) ? ChunkWidth.Bits8 : ChunkWidth.Bits4)], CodeScales.Static, 0);
    }

    /// <summary>As published: a quarter of the width in int4 with a step per token, the mean of four references.</summary>
    internal static LinearCodec Published() => Dense([.. Enumerable.Repeat(ChunkWidth.Bits4, 16)], CodeScales.PerToken, 4);

    /// <summary>Rotated integers with a step per chunk.</summary>
    private static LinearCodec Hadamard(ChunkWidth width) => HadamardCodec.Create(Shape.KeyHeads, Shape.HeadDim, width, width);

    private static LinearCodec Dense(ChunkWidth[] chunks, CodeScales scales, int neighbours)
    {
        var random = new Random(2);
        var width = 2 * Shape.KeyHeads * Shape.HeadDim;
        float[] Matrix() => [.. Enumerable.Range(0, chunks.Sum(CodeGroup.DimensionsOf) * width).Select(_ => (random.NextSingle() - 0.5f) / 16f)];
        return new LinearCodec
        {
            KeyHeads = Shape.KeyHeads,
            HeadDim = Shape.HeadDim,
            Mean = new float[width],
            Scales = scales,
            Neighbours = neighbours,
            Groups = [new CodeGroup(0, width, [.. chunks], Matrix(), Matrix())],
        };
    }
}
