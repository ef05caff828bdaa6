using DeltaKV.Compression.Codes;
using DeltaKV.Compression.DeltaKv;

namespace DeltaKV.Tests.Compression.Codes;

/// <summary>Codecs of every kind the format knows, with random matrices.</summary>
internal static class CodecSamples
{
    internal static readonly string[] Names = ["identity", "hadamard4", "hadamard3", "hadamard8-2", "mixed", "mixed3", "token4", "token3", "empty"];

    /// <param name="name">A kind, and after a colon what its heads keep, as in a row of <see cref="HeadTable"/>.</param>
    /// <param name="keyHeads">Key/value heads.</param>
    /// <param name="headDim">Elements of a head.</param>
    /// <param name="neighbours">References per token.</param>
    /// <param name="seed">Of the matrices.</param>
    internal static LinearCodec Create(string name, int keyHeads, int headDim, int neighbours, int seed) => name.Split(':') switch
    {
        [var kind, var heads] => HeadTable.Apply(HeadTable.Parse(heads).Layers.Single(), Kind(kind, keyHeads, headDim, neighbours, seed)),
        _ => Kind(name, keyHeads, headDim, neighbours, seed),
    };

    private static LinearCodec Kind(string name, int keyHeads, int headDim, int neighbours, int seed) => name switch
    {
        "identity" => IdentityCodec.Create(keyHeads, headDim, neighbours),
        "hadamard4" => HadamardCodec.Create(keyHeads, headDim, ChunkWidth.Bits4, ChunkWidth.Bits4) with { Neighbours = neighbours },
        "hadamard3" => HadamardCodec.Create(keyHeads, headDim, ChunkWidth.Bits3, ChunkWidth.Bits3) with { Neighbours = neighbours },
        "hadamard4-3" => HadamardCodec.Create(keyHeads, headDim, ChunkWidth.Bits4, ChunkWidth.Bits3) with { Neighbours = neighbours },
        "hadamard8-2" => HadamardCodec.Create(keyHeads, headDim, ChunkWidth.Bits8, ChunkWidth.Bits2) with { Neighbours = neighbours },
        "mixed" => Dense(keyHeads, headDim, neighbours, seed, CodeScales.Static, ChunkWidth.Bits16, ChunkWidth.Bits16, ChunkWidth.Bits8, ChunkWidth.Bits4, ChunkWidth.Bits2),
        "mixed3" => Dense(keyHeads, headDim, neighbours, seed, CodeScales.Static, ChunkWidth.Bits16, ChunkWidth.Bits16, ChunkWidth.Bits4, ChunkWidth.Bits3, ChunkWidth.Bits3, ChunkWidth.Bits3, ChunkWidth.Bits2),
        // Steps are integers that are folded into the matrices, and the number of tails is odd.
        "klt3" => Dense(keyHeads, headDim, neighbours, seed, CodeScales.Static, ChunkWidth.Bits8, ChunkWidth.Bits4, ChunkWidth.Bits3),
        "token3" => Dense(keyHeads, headDim, neighbours, seed, CodeScales.PerToken, ChunkWidth.Bits3),
        "chunk3" => Dense(keyHeads, headDim, neighbours, seed, CodeScales.PerChunk, ChunkWidth.Bits8, ChunkWidth.Bits3, ChunkWidth.Bits3, ChunkWidth.Bits3),
        "wide3" => Dense(keyHeads, headDim, neighbours, seed, CodeScales.PerToken, [.. Enumerable.Repeat(ChunkWidth.Bits3, 8)]),
        "token4" => Dense(keyHeads, headDim, neighbours, seed, CodeScales.PerToken, ChunkWidth.Bits4, ChunkWidth.Bits4, ChunkWidth.Bits4)
            with { Offset = [.. Enumerable.Range(0, 2 * keyHeads * headDim).Select(i => 0.1f * (i % 7))] },
        "klt" => Dense(keyHeads, headDim, neighbours, seed, CodeScales.Static, ChunkWidth.Bits8, ChunkWidth.Bits4, ChunkWidth.Bits4),
        "wide8" => Dense(keyHeads, headDim, neighbours, seed, CodeScales.PerChunk, [.. Enumerable.Repeat(ChunkWidth.Bits8, 14)]),
        "wide4" => Dense(keyHeads, headDim, neighbours, seed, CodeScales.PerToken, [.. Enumerable.Repeat(ChunkWidth.Bits4, 16)]),
        "empty" => Dense(keyHeads, headDim, neighbours, seed, CodeScales.Static),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "Not a codec of these tests."),
    };

    /// <summary>A codec whose encoder has a hidden layer, over the whole row or over keys and values apart.</summary>
    internal static LinearCodec Nonlinear(
        FeatureActivation activation, int features, bool split, int keyHeads, int headDim, int neighbours, int seed, CodeScales scales = CodeScales.PerToken)
    {
        var random = new Random(seed);
        var width = 2 * keyHeads * headDim;
        var length = split ? width / 2 : width;
        return new LinearCodec
        {
            KeyHeads = keyHeads,
            HeadDim = headDim,
            Neighbours = neighbours,
            Scales = scales,
            Mean = neighbours > 0 ? new float[width] : Values(width, 0.5f),
            Offset = Values(width, 0.2f),
            Groups = [.. Enumerable.Range(0, width / length).Select(i => Group(i * length, features + (16 * i)))],
        };

        CodeGroup Group(int start, int count)
        {
            var rows = activation == FeatureActivation.SwiGlu ? 2 * count : count;
            return new CodeGroup(start, length, [ChunkWidth.Bits4, ChunkWidth.Bits4], Values(64 * count, 4f / MathF.Sqrt(count)), Values(64 * length, 0.2f))
            {
                Features = new KvFeatures(activation, count, Values(rows * length, 2f / MathF.Sqrt(length)), Values(rows, 0.3f)),
            };
        }

        float[] Values(int count, float scale) => [.. Enumerable.Range(0, count).Select(_ => scale * ((2 * random.NextSingle()) - 1))];
    }

    /// <summary>The identity, through a hidden layer: <c>gelu(x) - gelu(-x) = x</c>, and the same of silu where every up is 1.</summary>
    internal static LinearCodec IdentityNetwork(FeatureActivation activation, int keyHeads, int headDim, int neighbours)
    {
        var identity = IdentityCodec.Create(keyHeads, headDim, neighbours);
        return identity with { Groups = [.. identity.Groups.Select(Group)] };

        CodeGroup Group(CodeGroup group)
        {
            var count = 2 * group.Length;
            var rows = activation == FeatureActivation.SwiGlu ? 2 * count : count;
            var features = new KvFeatures(activation, count, new float[rows * group.Length], new float[rows]);
            features.Bias.AsSpan(count).Fill(1);
            var down = new float[group.Length * count];
            for (var i = 0; i < group.Length; i++)
            {
                features.Weight[(i * group.Length) + i] = down[(i * count) + i] = 1;
                features.Weight[((group.Length + i) * group.Length) + i] = down[(i * count) + group.Length + i] = -1;
            }

            return group with { Features = features, Down = down };
        }
    }

    /// <summary>The same codec with a random hidden layer in every decoder.</summary>
    internal static LinearCodec WithDecoder(LinearCodec codec, FeatureActivation activation, int features, int seed)
    {
        var random = new Random(seed);
        return codec with { Groups = [.. codec.Groups.Select((group, i) => Group(group, features + (16 * i)))] };

        CodeGroup Group(CodeGroup group, int count)
        {
            var rows = activation == FeatureActivation.SwiGlu ? 2 * count : count;
            var decoder = new KvFeatures(activation, count, Values(rows * group.Dimensions, 1f / MathF.Sqrt(group.Dimensions)), Values(rows, 0.3f));
            return group with { Decoder = decoder, Up = Values(count * group.Length, 1.5f / MathF.Sqrt(count)) };
        }

        float[] Values(int count, float scale) => [.. Enumerable.Range(0, count).Select(_ => scale * ((2 * random.NextSingle()) - 1))];
    }

    /// <summary>The same codec decoded through a hidden layer that changes nothing: <c>gelu(z) - gelu(-z) = z</c>, and the same of silu where every up is 1.</summary>
    internal static LinearCodec WithIdleDecoder(LinearCodec codec, FeatureActivation activation)
    {
        return codec with { Groups = [.. codec.Groups.Select(Group)] };

        CodeGroup Group(CodeGroup group)
        {
            var count = 2 * group.Dimensions;
            var rows = activation == FeatureActivation.SwiGlu ? 2 * count : count;
            var decoder = new KvFeatures(activation, count, new float[rows * group.Dimensions], new float[rows]);
            decoder.Bias.AsSpan(count).Fill(1);
            for (var i = 0; i < group.Dimensions; i++)
            {
                decoder.Weight[(i * group.Dimensions) + i] = 1;
                decoder.Weight[((group.Dimensions + i) * group.Dimensions) + i] = -1;
            }

            return group with { Decoder = decoder, Up = [.. group.Up, .. group.Up.Select(value => -value)] };
        }
    }

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
