using DeltaKV.Compression.Codes;
using DeltaKV.Compression.DeltaKv;

namespace DeltaKV.Tests.Compression.Codes;

/// <summary>Codecs of every kind the format knows, with random matrices.</summary>
internal static class CodecSamples
{
    internal static readonly string[] Names = ["identity", "hadamard4", "hadamard8-2", "mixed", "token4", "empty"];

    internal static LinearCodec Create(string name, int keyHeads, int headDim, int neighbours, int seed) => name switch
    {
        "identity" => IdentityCodec.Create(keyHeads, headDim, neighbours),
        "hadamard4" => HadamardCodec.Create(keyHeads, headDim, ChunkWidth.Bits4, ChunkWidth.Bits4) with { Neighbours = neighbours },
        "hadamard8-2" => HadamardCodec.Create(keyHeads, headDim, ChunkWidth.Bits8, ChunkWidth.Bits2) with { Neighbours = neighbours },
        "mixed" => Dense(keyHeads, headDim, neighbours, seed, CodeScales.Static, ChunkWidth.Bits16, ChunkWidth.Bits16, ChunkWidth.Bits8, ChunkWidth.Bits4, ChunkWidth.Bits2),
        "token4" => Dense(keyHeads, headDim, neighbours, seed, CodeScales.PerToken, ChunkWidth.Bits4, ChunkWidth.Bits4, ChunkWidth.Bits4),
        "empty" => Dense(keyHeads, headDim, neighbours, seed, CodeScales.Static),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "Not a codec of these tests."),
    };

    private static LinearCodec Dense(int keyHeads, int headDim, int neighbours, int seed, CodeScales scales, params ChunkWidth[] chunks)
    {
        var random = new Random(seed);
        var width = 2 * keyHeads * headDim;
        var dimensions = chunks.Sum(CodeGroup.DimensionsOf);
        var down = new float[dimensions * width];
        var up = new float[dimensions * width];
        for (var i = 0; i < down.Length; i++)
        {
            // Values of u lie within a few units times the static range.
            down[i] = (2 * random.NextSingle() - 1) * 4f / MathF.Sqrt(width);
            up[i] = (2 * random.NextSingle() - 1) / MathF.Sqrt(Math.Max(dimensions, 1));
        }

        return new LinearCodec
        {
            KeyHeads = keyHeads,
            HeadDim = headDim,
            Neighbours = neighbours,
            Scales = scales,
            Mean = [.. Enumerable.Range(0, width).Select(_ => random.NextSingle() - 0.5f)],
            Groups = [new CodeGroup(0, width, [.. chunks], down, up)],
        };
    }
}
