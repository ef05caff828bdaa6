using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Compression.DeltaKv.Training;
using DeltaKV.Evaluation;
using DeltaKV.Gpu;

namespace DeltaKV.Benchmarks.Kernels;

/// <summary>Encoders with a hidden layer at the sizes that are published for Llama-3.1-8B (rows of 2048, 3072 SwiGLU features, 512 latents): coding tokens, and a step of training.</summary>
internal static class HiddenLayerCases
{
    private const int KeyHeads = 8;
    private const int HeadDim = 128;
    private const int Features = 3072;
    private const int Latents = 512;
    private const int Width = 2 * KeyHeads * HeadDim;

    internal static IEnumerable<KernelCase> All() => [Encode(1, 4), Encode(16, 4), Encode(64, 4), Train(256), Train(1024)];

    /// <summary>Means of references, hidden layer, product and packing; gathering and searching are the coded cases'.</summary>
    private static KernelCase Encode(int items, int layers) => new(
        $"hidden encode swiglu {16 * items}, {layers} layers", 0, 16.0 * items * layers * ((8.0 * Features * Width) + (2.0 * Features * Latents)), 1, arena =>
        {
            var random = new Random(1);
            float[] Matrix(int count) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() - 0.5f) / 16f)];
            var codec = new LinearCodec
            {
                KeyHeads = KeyHeads,
                HeadDim = HeadDim,
                Mean = new float[Width],
                Scales = CodeScales.PerToken,
                Neighbours = 4,
                Groups =
                [
                    new CodeGroup(0, Width, [.. Enumerable.Repeat(ChunkWidth.Bits4, Latents / 32)], Matrix(Latents * Features), Matrix(Latents * Width))
                    {
                        Features = new KvFeatures(FeatureActivation.SwiGlu, Features, Matrix(2 * Features * Width), new float[2 * Features]),
                    },
                ],
            };
            const int Context = 32768;
            var tables = arena.Keep(new CodeTables(arena.Accelerator, [.. Enumerable.Repeat(codec, layers)]));
            var flush = new FlushView
            {
                Pool = CodedCases.Pool(arena, tables, 1, Context, codec),
                Items = arena.Upload([.. Enumerable.Range(0, items).Select(i => new FlushItem(0, Context - 2048 + (16 * i)))]),
                Units = tables.Units,
                Down = tables.Down,
                Center = tables.Center,
                Rows = arena.BFloat16s(layers * items * 16L * Width).Cast<uint>(),
                Bases = arena.BFloat16s(layers * items * 16L * Width).Cast<uint>(),
                Features = arena.BFloat16s(layers * items * 16L * Features).Cast<uint>(),
                FeatureWidth = Features,
                Candidates = arena.Upload([.. Enumerable.Range(0, layers * items * 64).Select(i => new Candidate(0f, i % 64))]),
                ItemCount = items,
                Splits = 1,
                Stride = 10,
                Origin = 16,
                HeadDim = HeadDim,
            };
            var (mean, hidden, coder) = (new ReferenceMeanKernel(arena.Accelerator), new FeatureKernel(arena.Accelerator), new EncodeKernel(arena.Accelerator));
            return _ =>
            {
                mean.Launch(arena.Stream, flush);
                hidden.Launch(arena.Stream, flush, tables);
                coder.Launch(arena.Stream, flush);
            };
        });

    /// <summary>Forward, backward and update of one layer.</summary>
    private static KernelCase Train(int rows) => new(
        $"hidden train swiglu {rows} rows", 0, rows * ((16.0 * Features * Width) + (6.0 * Latents * (Features + Width))), 1, arena =>
        {
            var shape = new NetworkShape(Width, FeatureActivation.SwiGlu, Features, Latents);
            var network = arena.Keep(new NetworkParameters(arena.Accelerator, shape));
            var pass = arena.Keep(new TrainingPass(arena.Accelerator, shape, rows));
            network.Set(arena.Stream, NetworkParameters.Random(shape, new SeededRandom(1)));
            arena.BFloat16s(2L * rows * Width).Cast<uint>().CopyTo(arena.Stream, pass.Inputs);
            var adam = new AdamKernel(arena.Accelerator);
            return i =>
            {
                pass.Forward(arena.Stream, network, rows);
                pass.Backward(arena.Stream, network, rows);
                adam.Launch(arena.Stream, network, pass.Gradients, pass.SquaredNorm, 2f / (rows * Width), 1e-4f, i + 1);
            };
        });
}
