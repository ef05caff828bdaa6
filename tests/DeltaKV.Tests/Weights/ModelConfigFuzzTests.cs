using System.Text;
using DeltaKV.Tests.Support;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Weights;

/// <summary>A damaged configuration is read or refused with <see cref="ModelFormatException"/>; nothing else happens.</summary>
public sealed class ModelConfigFuzzTests : IDisposable
{
    private static readonly string[] Values = ["null", "-1", "0", "1e999", "99999999999999", "0.5", "true", "\"x\"", "[]", "{}", "[[1]]", "\"\\ud800\"", "{\"a\":{}}"];
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(51, ModelConfigSamples.Llama31)]
    [InlineData(52, ModelConfigSamples.Qwen25)]
    [InlineData(53, ModelConfigSamples.Mistral)]
    public void DamagedFieldsAreRefusedOrHarmless(int seed, string sample)
    {
        var random = new Random(seed);
        for (var round = 0; round < 300; round++)
        {
            var text = random.Next(2) == 0 ? ReplaceValue(sample, random) : FlipByte(sample, random);
            directory.Write("config.json", text);
            directory.Write("generation_config.json", text);
            try
            {
                var config = ModelConfig.Load(directory.Path);
                Assert.True(config.KvBytesPerToken > 0 && RopeFrequencies.Inverse(config.Rope, config.HeadDim).All(float.IsFinite));
                GenerationDefaults.Load(directory.Path, config);
            }
            catch (ModelFormatException)
            {
                // The point of the test is that nothing else is thrown.
            }
            catch (Exception exception)
            {
                Assert.Fail($"seed {seed}, round {round}: {exception}\n{text}");
            }
        }
    }

    private static string ReplaceValue(string sample, Random random)
    {
        var colons = Enumerable.Range(0, sample.Length).Where(i => sample[i] == ':').ToList();
        var start = colons[random.Next(colons.Count)] + 1;
        var end = sample.IndexOfAny([',', '}'], start);
        return $"{sample[..start]}{Values[random.Next(Values.Length)]}{sample[end..]}";
    }

    private static string FlipByte(string sample, Random random)
    {
        var bytes = Encoding.UTF8.GetBytes(sample);
        bytes[random.Next(bytes.Length)] = (byte)random.Next(32, 127);
        return Encoding.UTF8.GetString(bytes);
    }
}
