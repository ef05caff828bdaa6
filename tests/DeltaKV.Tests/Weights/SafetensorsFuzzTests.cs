using DeltaKV.Tests.Support;
using DeltaKV.Weights;
using static DeltaKV.Tests.Weights.RawSafetensors;

namespace DeltaKV.Tests.Weights;

/// <summary>Damaged files either open with tensors inside the file or raise <see cref="ModelFormatException"/>; nothing else happens.</summary>
public sealed class SafetensorsFuzzTests : IDisposable
{
    private const int Rounds = 3000;
    private static readonly string[] Splices = ["-1", "18446744073709551615", "9223372036854775807", "1e999", "{}", "[[", "\\u0000", "\"", "null", "__metadata__"];

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void DamagedBytesAreRefusedOrHarmless(int seed)
    {
        var random = new Random(seed);
        var valid = Build($$$"""{"__metadata__":{"format":"pt"},{{{Tensor("a", "BF16", "4,2", 0, 16)}}},{{{Tensor("b", "F32", "3", 16, 28)}}}}""", 28);
        var refused = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var path = directory.Write("fuzz.safetensors", Damage(valid, random));
            try
            {
                using var file = SafetensorsFile.Open(path);
                foreach (var tensor in file.Tensors.Values)
                    TouchEnds(file, tensor);
            }
            catch (ModelFormatException)
            {
                refused++;
            }
            catch (Exception exception)
            {
                throw new Xunit.Sdk.XunitException($"seed {seed}, round {round}: {exception}");
            }
        }
        Assert.InRange(refused, Rounds / 2, Rounds - 1);
    }

    private static void TouchEnds(SafetensorsFile file, TensorInfo tensor)
    {
        if (tensor.ByteLength == 0)
            return;
        Assert.Single(file.Bytes(tensor, 0, 1).ToArray());
        Assert.Single(file.Bytes(tensor, tensor.ByteLength - 1, 1).ToArray());
    }

    private static byte[] Damage(byte[] valid, Random random)
    {
        var bytes = valid.ToList();
        for (var edits = random.Next(1, 4); edits > 0; edits--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, random.Next(1, Math.Min(bytes.Count - at, 20) + 1));
                    break;
                case 2:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
                case 3:
                    bytes.InsertRange(at, System.Text.Encoding.UTF8.GetBytes(Splices[random.Next(Splices.Length)]));
                    break;
                default:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
            }
            if (bytes.Count == 0)
                bytes.Add(0);
        }
        return [.. bytes];
    }
}
