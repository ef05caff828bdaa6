using System.Runtime.InteropServices;
using DeltaKV.Tests.Support;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Weights;

public sealed class TensorConversionTests : IDisposable
{
    private static readonly float[] Values = [0f, -0f, 1f, 1.00390625f, 1.01171875f, -3.14159274f, 65504f, 1e-7f, float.PositiveInfinity];
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void EveryTypeBecomesBFloat16RoundedToNearestEven()
    {
        using var file = Write();
        foreach (var name in new[] { "f32", "f16" })
        {
            var bits = new ushort[Values.Length - 1];
            new ModelTensor(file, file.Tensors[name]).ReadBFloat16(1, bits);
            for (var i = 0; i < bits.Length; i++)
            {
                var value = name == "f16" ? (float)(Half)Values[i + 1] : Values[i + 1];
                Assert.Equal(NearestBFloat16(value), BitConverter.UInt32BitsToSingle((uint)bits[i] << 16));
            }
        }
    }

    [Fact]
    public void EveryTypeBecomesSingle()
    {
        using var file = Write();
        var single = new float[Values.Length];
        new ModelTensor(file, file.Tensors["f32"]).ReadSingle(0, single);
        Assert.Equal(Values, single);
        new ModelTensor(file, file.Tensors["f16"]).ReadSingle(0, single);
        Assert.Equal(Values.Select(value => (float)(Half)value), single);
        new ModelTensor(file, file.Tensors["bf16"]).ReadSingle(0, single);
        Assert.Equal(Values.Select(NearestBFloat16), single);
    }

    [Fact]
    public void NaNStaysNaN()
    {
        var bits = TensorConversion.RoundToBFloat16(BitConverter.UInt32BitsToSingle(0x7F800001));
        Assert.True(float.IsNaN(BitConverter.UInt32BitsToSingle((uint)bits << 16)));
    }

    [Fact]
    public void IntegersAreRefusedByName()
    {
        using var file = Write();
        var tensor = new ModelTensor(file, file.Tensors["i32"]);
        Assert.Contains("I32", Assert.Throws<ModelFormatException>(() => tensor.ReadSingle(0, new float[1])).Reason, StringComparison.Ordinal);
    }

    /// <summary>The nearest of the two neighbours by distance in double; ties to the even one.</summary>
    private static float NearestBFloat16(float value)
    {
        if (float.IsInfinity(value))
            return value;
        var low = BitConverter.SingleToUInt32Bits(value) & 0xFFFF0000;
        var below = BitConverter.UInt32BitsToSingle(low);
        var above = BitConverter.UInt32BitsToSingle(low + 0x10000);
        var difference = Math.Abs((double)value - below) - Math.Abs((double)above - value);
        if (difference == 0)
            return (low & 0x10000) == 0 ? below : above;
        return difference < 0 ? below : above;
    }

    private SafetensorsFile Write()
    {
        var writer = new SafetensorsWriter();
        writer.Add("f32", TensorDataType.F32, [Values.Length], MemoryMarshal.AsBytes(Values.AsSpan()).ToArray());
        writer.Add("f16", TensorDataType.F16, [Values.Length], MemoryMarshal.AsBytes(Array.ConvertAll(Values, value => (Half)value).AsSpan()).ToArray());
        var bf16 = Array.ConvertAll(Values, value => (ushort)(BitConverter.SingleToUInt32Bits(NearestBFloat16(value)) >> 16));
        writer.Add("bf16", TensorDataType.BF16, [Values.Length], MemoryMarshal.AsBytes(bf16.AsSpan()).ToArray());
        writer.Add("i32", TensorDataType.I32, [1], new byte[4]);
        writer.Save(directory.File("w"));
        return SafetensorsFile.Open(directory.File("w"));
    }
}
