using System.Buffers.Binary;
using System.Text;

namespace DeltaKV.Tests.Weights;

/// <summary>Builds safetensors bytes from any header text, valid or not.</summary>
internal static class RawSafetensors
{
    internal static byte[] Build(string header, int dataLength) => Build(Encoding.UTF8.GetBytes(header), dataLength);

    internal static byte[] Build(byte[] header, int dataLength)
    {
        var bytes = new byte[8 + header.Length + dataLength];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)header.Length);
        header.CopyTo(bytes, 8);
        for (var i = 0; i < dataLength; i++)
            bytes[8 + header.Length + i] = (byte)i;
        return bytes;
    }

    internal static string Tensor(string name, string type, string shape, long begin, long end) =>
        $$"""{{name}}:{"dtype":"{{type}}","shape":[{{shape}}],"data_offsets":[{{begin}},{{end}}]}""".Insert(0, "\"").Insert(name.Length + 1, "\"");
}
