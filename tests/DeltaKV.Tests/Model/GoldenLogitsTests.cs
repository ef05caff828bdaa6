using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Tests.Support;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Model;

/// <summary>Logits of small random models of every architecture against Transformers in float32 (tools/golden/make_logits.py).</summary>
public class GoldenLogitsTests
{
    public static TheoryData<string> Models => ["llama", "llama31-tied", "llama-linear", "mistral", "qwen2", "qwen2-yarn", "qwen3"];

    // fp32 sums of fp32 products in another order, and approximate exponentials and sines: a few parts in 10^6 a layer.
    [Theory, AcceleratorMemberData(nameof(Models))]
    public void Float32_agrees_to_rounding(TestDevice device, string model)
    {
        var accelerator = TestAccelerators.Get(device);
        using var harness = new ModelHarness<float>(accelerator, Directory(model), 256, shape => new SingleKernels(accelerator, shape));
        Assert.InRange(RelativeError(model, harness.Run), 0, 1e-4);
    }

    // Every activation is rounded to 8 bits of fraction, some ten times a layer: 2^-9 each, adding up like a random walk.
    [Theory, AcceleratorMemberData(nameof(Models))]
    public void BFloat16_agrees_to_its_rounding(TestDevice device, string model)
    {
        var accelerator = TestAccelerators.Get(device);
        using var harness = new ModelHarness<BFloat16>(accelerator, Directory(model), 256, shape => new BFloat16Kernels(accelerator, shape, 8));
        Assert.InRange(RelativeError(model, harness.Run), 1e-6, 1e-2);
    }

    internal delegate float[][] Runner(ReadOnlySpan<int> tokens, bool decode = false);

    /// <summary>Prompt in two uneven chunks, then token by token, so that every attention path is behind the figure.</summary>
    internal static double RelativeError(string model, Runner run)
    {
        using var expected = SafetensorsFile.Open(Path.Combine(Directory(model), "expected.safetensors"));
        var ids = Array.ConvertAll(expected.Values<long>(expected.Tensors["ids"]).ToArray(), id => (int)id);
        var positions = expected.Values<long>(expected.Tensors["positions"]);
        var golden = expected.Values<float>(expected.Tensors["logits"]);

        var logits = new List<float[]>();
        logits.AddRange(run(ids.AsSpan(0, 70)));
        logits.AddRange(run(ids.AsSpan(70, 121)));
        foreach (var id in ids.AsSpan(191))
            logits.AddRange(run([id], decode: true));

        var vocabulary = golden.Length / positions.Length;
        double error = 0, norm = 0;
        for (var i = 0; i < positions.Length; i++)
        {
            var row = logits[(int)positions[i]];
            for (var j = 0; j < vocabulary; j++)
            {
                var truth = golden[(i * vocabulary) + j];
                error += Math.Pow(row[j] - truth, 2);
                norm += Math.Pow(truth, 2);
            }
        }

        return Math.Sqrt(error / norm);
    }

    internal static string Directory(string model) => RepositoryRoot.PathTo("tests", "DeltaKV.Tests", "Fixtures", "models", model);
}
