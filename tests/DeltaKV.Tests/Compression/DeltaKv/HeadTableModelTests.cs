using DeltaKV.Compression;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Tests.Model;
using DeltaKV.Tests.Reference;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Compression.DeltaKv;

/// <summary>needle-16m in the engine's layers with a table of heads, against the reference transformer, from whose heads history is hidden.</summary>
public sealed class HeadTableModelTests
{
    private const string Table = "cccc/wcww/wwww/cccc/wrcw/cwcc/wwww/cccw";

    /// <summary>Prompts in chunks, reading codes in place or reconstructing them first, then token by token.</summary>
    [Fact]
    public void Heads_without_history_attend_to_sinks_and_window()
    {
        var truth = Oracle(Table);
        var (fused, reconstructed) = (Run(Table, 0), Run(Table, 16 << 20));
        // Eight layers in bf16.
        Assert.InRange(Error(truth, fused), 1e-6, 2e-2);
        Assert.InRange(Error(truth, reconstructed), 1e-6, 2e-2);
        // Room for one block of tokens: part after part, with the same sums.
        Assert.Equal(reconstructed.SelectMany(row => row), Run(Table, 64 * 2 * 4 * 64 * sizeof(ushort)).SelectMany(row => row));
        // And it is not what all heads would say.
        Assert.InRange(Error(Oracle(null), fused), 5e-2, 2);
    }

    [Fact]
    public void A_table_in_which_all_heads_are_coded_changes_nothing()
    {
        var table = string.Join('/', Enumerable.Repeat("rrrr", 8));
        Assert.Equal(Run(null, 0).SelectMany(row => row), Run(table, 0).SelectMany(row => row));
    }

    private static DeltaKvCodec Codec(string? table)
    {
        var identity = IdentityCodec.Create(4, 64);
        return new DeltaKvCodec
        {
            Model = new ModelFingerprint("Llama", 8, 4, 64, ""),
            Options = new CodedKvOptions { Sinks = 16, Recent = 32 },
            Layers = [.. Enumerable.Range(0, 8).Select(layer => new CodecLayer(
                LayerTreatment.Coded, table is null ? identity : HeadTable.Apply(HeadTable.Parse(table).Layers[layer], identity)))],
        };
    }

    /// <summary>Words of a notes document, so that heads have something to look for.</summary>
    private static int[] Tokens
    {
        get
        {
            var random = new Random(7);
            var kinds = Enumerable.Range(0, 40).Select(_ => random.Next(300, 4000)).ToArray();
            return [.. Enumerable.Range(0, 260).Select(_ => kinds[random.Next(kinds.Length)])];
        }
    }

    /// <summary>Where steps begin: two chunks of several tiles, a short one, single tokens.</summary>
    private static IEnumerable<(int Start, int Count)> Steps => [(0, 128), (128, 120), (248, 9), (257, 1), (258, 1), (259, 1)];

    private static float[][] Run(string? table, int scratchBytes)
    {
        // The sanitizer has seen the kernels elsewhere.
        var accelerator = TestAccelerators.Default;
        using var harness = new ModelHarness<BFloat16>(
            accelerator,
            TestModels.Needle,
            512,
            shape => new BFloat16Kernels(accelerator, shape, 8),
            (stream, config, weights, kernels) =>
            {
                var format = Codec(table).Format(kernels.Shape, Codec(table).Options);
                return new CodedKvLayers(
                    stream, kernels, format, CodedKvCapacity.ForBytes(format, 64 << 20, 4, 256, 1024), config.Rope, new KvLimits(4, 512, 256, scratchBytes), prefixCaching: false);
            });
        return [.. Steps.SelectMany(step => harness.Run(Tokens.AsSpan(step.Start, step.Count), decode: step.Count == 1))];
    }

    private static float[][] Oracle(string? table)
    {
        var model = ReferenceTransformer.Load(TestModels.Needle);
        var cache = new ReferenceCompressedCache(model, Codec(table), 512);
        return [.. Steps.SelectMany(step => model.Logits(cache.Append(Tokens.AsSpan(step.Start, step.Count))).Chunk(model.Config.Vocabulary))];
    }

    /// <summary>Over the tokens whose history is compressed.</summary>
    private static double Error(float[][] expected, float[][] actual)
    {
        double error = 0, norm = 0;
        for (var row = 128; row < expected.Length; row++)
        {
            for (var i = 0; i < expected[row].Length; i++)
            {
                error += Math.Pow(expected[row][i] - actual[row][i], 2);
                norm += Math.Pow(expected[row][i], 2);
            }
        }

        return Math.Sqrt(error / norm);
    }
}
