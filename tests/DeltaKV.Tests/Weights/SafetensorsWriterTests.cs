using System.Runtime.InteropServices;
using DeltaKV.Tests.Support;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Weights;

public sealed class SafetensorsWriterTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void WhatIsWrittenIsRead()
    {
        var writer = new SafetensorsWriter();
        writer.Metadata["model"] = "needle \"16m\"";
        writer.Add("bytes", TensorDataType.U8, [3], new byte[] { 1, 2, 3 });
        writer.Add("wide", TensorDataType.F32, [2, 1], MemoryMarshal.AsBytes<float>([1.5f, -2f]).ToArray());
        writer.Add("empty", TensorDataType.BF16, [0, 4], Array.Empty<byte>());
        var path = directory.File("codec.safetensors");
        writer.Save(path);

        using var file = SafetensorsFile.Open(path);
        Assert.Equal("needle \"16m\"", file.Header.Metadata["model"]);
        Assert.Equal([1.5f, -2f], file.Values<float>(file.Tensors["wide"]).ToArray());
        Assert.Equal([1, 2, 3], file.Values<byte>(file.Tensors["bytes"]).ToArray());
        Assert.Equal([0L, 4], file.Tensors["empty"].Shape.ToArray());
        Assert.Equal([path], Directory.GetFiles(directory.Path));
    }

    [Fact]
    public unsafe void TensorsAreAlignedToTheirElements()
    {
        var writer = new SafetensorsWriter();
        writer.Add("a", TensorDataType.U8, [1], new byte[1]);
        writer.Add("b", TensorDataType.F64, [1], new byte[8]);
        writer.Add("c", TensorDataType.BF16, [3], new byte[6]);
        writer.Save(directory.File("x"));

        using var file = SafetensorsFile.Open(directory.File("x"));
        foreach (var tensor in file.Tensors.Values)
            Assert.Equal(0, (nint)file.Pointer(tensor) % (tensor.Type.Bits() / 8));
    }

    [Fact]
    public void RefusesWrongSizesAndTakenNames()
    {
        var writer = new SafetensorsWriter();
        writer.Add("a", TensorDataType.U8, [1], new byte[1]);

        Assert.Throws<ArgumentException>(() => writer.Add("a", TensorDataType.U8, [1], new byte[1]));
        Assert.Throws<ArgumentException>(() => writer.Add("b", TensorDataType.F32, [2], new byte[7]));
        Assert.Throws<ArgumentException>(() => writer.Add("__metadata__", TensorDataType.U8, [1], new byte[1]));
    }
}
