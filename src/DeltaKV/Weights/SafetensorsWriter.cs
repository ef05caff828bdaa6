using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;

namespace DeltaKV.Weights;

/// <summary>Collects tensors and saves them as one safetensors file, aligned as the reference implementation aligns them.</summary>
internal sealed class SafetensorsWriter
{
    private const int HeaderAlignment = 8;

    private readonly List<(TensorInfo Info, ReadOnlyMemory<byte> Data)> tensors = [];
    private readonly HashSet<string> names = new(StringComparer.Ordinal);

    /// <summary>Free text saved in the header, in order of the keys.</summary>
    internal SortedDictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>Adds a tensor; <paramref name="data"/> is kept, not copied, until <see cref="Save"/>.</summary>
    internal void Add(string name, TensorDataType type, ReadOnlySpan<long> shape, ReadOnlyMemory<byte> data)
    {
        var info = new TensorInfo(name, type, ImmutableArray.Create(shape), 0, data.Length);
        if (info.ElementCount * type.Bits() != data.Length * 8L)
            throw new ArgumentException($"{info} needs {info.ElementCount * type.Bits() / 8} bytes, got {data.Length}", nameof(data));
        if (name == "__metadata__" || !names.Add(name))
            throw new ArgumentException($"The tensor name '{name}' is taken.", nameof(name));
        tensors.Add((info, data));
    }

    /// <summary>Writes beside <paramref name="path"/> first and renames, so that a reader never sees half a file.</summary>
    internal void Save(string path)
    {
        // Widest elements first keeps every tensor aligned to its element size.
        var ordered = tensors.OrderByDescending(tensor => tensor.Info.Type.Bits()).ThenBy(tensor => tensor.Info.Name, StringComparer.Ordinal).ToList();
        var header = BuildHeader(ordered);
        var temporary = path + ".partial";
        using (var stream = File.Create(temporary))
        {
            stream.Write(header);
            foreach (var (_, data) in ordered)
                stream.Write(data.Span);
        }
        File.Move(temporary, path, overwrite: true);
    }

    private byte[] BuildHeader(List<(TensorInfo Info, ReadOnlyMemory<byte> Data)> ordered)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Advance(WritePlaceholder(buffer));
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (Metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in Metadata)
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            var offset = 0L;
            foreach (var (info, data) in ordered)
            {
                json.WriteStartObject(info.Name);
                json.WriteString("dtype", info.Type.HeaderName());
                WriteNumbers(json, "shape", info.Shape.AsSpan());
                WriteNumbers(json, "data_offsets", [offset, offset + data.Length]);
                json.WriteEndObject();
                offset += data.Length;
            }
            json.WriteEndObject();
        }
        var padding = (HeaderAlignment - buffer.WrittenCount % HeaderAlignment) % HeaderAlignment;
        buffer.GetSpan(HeaderAlignment)[..padding].Fill((byte)' ');
        buffer.Advance(padding);

        var header = buffer.WrittenSpan.ToArray();
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)(header.Length - sizeof(ulong)));
        return header;
    }

    private static int WritePlaceholder(ArrayBufferWriter<byte> buffer)
    {
        buffer.GetSpan(sizeof(ulong))[..sizeof(ulong)].Clear();
        return sizeof(ulong);
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, ReadOnlySpan<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers)
            json.WriteNumberValue(number);
        json.WriteEndArray();
    }
}
