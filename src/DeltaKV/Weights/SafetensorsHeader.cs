using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Unicode;

namespace DeltaKV.Weights;

/// <summary>Parses and validates the JSON header of a safetensors file.</summary>
/// <remarks>
/// The policy is the reference implementation's: tensors, sorted by offset, tile the data section exactly (no hole, no overlap, nothing
/// left over) and each holds as many bytes as its shape and type need. Duplicate names, which the format forbids but the reference lets
/// the last one win, are refused too.
/// </remarks>
internal sealed class SafetensorsHeader
{
    /// <summary>The reference implementation's bound on the header, in bytes.</summary>
    internal const int MaxHeaderBytes = 100_000_000;

    private readonly string file;
    private readonly Dictionary<string, TensorInfo> tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> metadata = new(StringComparer.Ordinal);

    private SafetensorsHeader(string file) => this.file = file;

    internal IReadOnlyDictionary<string, TensorInfo> Tensors => tensors;

    internal IReadOnlyDictionary<string, string> Metadata => metadata;

    /// <param name="json">The header bytes, without the leading length.</param>
    /// <param name="dataLength">Bytes in the file after the header.</param>
    /// <param name="file">Path named in exceptions.</param>
    internal static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long dataLength, string file)
    {
        if (json.Length == 0 || json[0] != (byte)'{')
            throw new ModelFormatException(file, "the header does not start with '{'; this is not a safetensors file");
        if (!Utf8.IsValid(json))
            throw new ModelFormatException(file, "the header is not valid UTF-8");

        var header = new SafetensorsHeader(file);
        try
        {
            header.Read(json);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escaped lone surrogate, which the reader finds only when the string is decoded.
            throw new ModelFormatException(file, $"the header is not valid JSON: {exception.Message}", exception);
        }
        header.CheckTiling(dataLength);
        return header;
    }

    private void Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 16 });
        var seenMetadata = false;
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (name != "__metadata__")
            {
                if (!tensors.TryAdd(name, ReadTensor(ref reader, name)))
                    throw new ModelFormatException(file, name, "the name occurs twice in the header");
                continue;
            }
            if (seenMetadata)
                throw new ModelFormatException(file, "__metadata__ occurs twice in the header");
            seenMetadata = true;
            ReadMetadata(ref reader);
        }
        if (reader.Read())
            throw new ModelFormatException(file, "the header holds more than one JSON object");
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return;
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new ModelFormatException(file, "__metadata__ is not an object of strings");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw new ModelFormatException(file, $"__metadata__ '{key}' is not a string");
            if (!metadata.TryAdd(key, reader.GetString()!))
                throw new ModelFormatException(file, $"__metadata__ '{key}' occurs twice");
        }
    }

    private TensorInfo ReadTensor(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new ModelFormatException(file, name, "the header entry is not an object with dtype, shape and data_offsets");

        TensorDataType? type = null;
        ImmutableArray<long> shape = default;
        ImmutableArray<long> offsets = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.GetString();
            reader.Read();
            switch (field)
            {
                case "dtype" when type is null:
                    type = ReadType(ref reader, name);
                    break;
                case "shape" when shape.IsDefault:
                    shape = ReadNumbers(ref reader, name, "shape");
                    break;
                case "data_offsets" when offsets.IsDefault:
                    offsets = ReadNumbers(ref reader, name, "data_offsets");
                    break;
                case "dtype" or "shape" or "data_offsets":
                    throw new ModelFormatException(file, name, $"{field} occurs twice");
                default:
                    reader.Skip();
                    break;
            }
        }
        if (type is null || shape.IsDefault || offsets.IsDefault)
            throw new ModelFormatException(file, name, "the header entry lacks dtype, shape or data_offsets");
        if (offsets.Length != 2 || offsets[1] < offsets[0])
            throw new ModelFormatException(file, name, $"data_offsets [{string.Join(", ", offsets)}] is not a [begin, end] pair");

        var byteLength = offsets[1] - offsets[0];
        var expected = ExpectedBytes(type.Value, shape, name);
        if (byteLength != expected)
        {
            throw new ModelFormatException(file, name,
                $"{type.Value.HeaderName()} [{string.Join(", ", shape)}] needs {expected} bytes, but data_offsets span {byteLength}");
        }
        return new TensorInfo(name, type.Value, shape, offsets[0], byteLength);
    }

    private TensorDataType ReadType(ref Utf8JsonReader reader, string name)
    {
        var text = reader.TokenType == JsonTokenType.String ? reader.GetString()! : reader.TokenType.ToString();
        return TensorDataTypes.TryParse(text, out var type)
            ? type
            : throw new ModelFormatException(file, name, $"unknown dtype '{text}'");
    }

    private ImmutableArray<long> ReadNumbers(ref Utf8JsonReader reader, string name, string field)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new ModelFormatException(file, name, $"{field} is not an array");
        var numbers = ImmutableArray.CreateBuilder<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
                throw new ModelFormatException(file, name, $"{field} holds something that is not a non-negative 64-bit integer");
            numbers.Add(number);
        }
        return numbers.ToImmutable();
    }

    private long ExpectedBytes(TensorDataType type, ImmutableArray<long> shape, string name)
    {
        try
        {
            var bits = checked(shape.Aggregate(1L, (product, extent) => checked(product * extent)) * type.Bits());
            if (bits % 8 != 0)
                throw new ModelFormatException(file, name, $"{type.HeaderName()} [{string.Join(", ", shape)}] is not a whole number of bytes");
            return bits / 8;
        }
        catch (OverflowException exception)
        {
            throw new ModelFormatException(file, name, $"the shape [{string.Join(", ", shape)}] overflows 64 bits", exception);
        }
    }

    private void CheckTiling(long dataLength)
    {
        var end = 0L;
        foreach (var tensor in tensors.Values.OrderBy(tensor => tensor.Offset).ThenBy(tensor => tensor.ByteLength))
        {
            if (tensor.Offset != end)
            {
                var fault = tensor.Offset < end ? "overlaps the tensor before it" : "leaves a hole before it";
                throw new ModelFormatException(file, tensor.Name, $"begins at {tensor.Offset}, expected {end}: it {fault}");
            }
            end = tensor.Offset + tensor.ByteLength;
            if (end > dataLength)
                throw new ModelFormatException(file, tensor.Name, $"ends at {end}, but the file holds {dataLength} data bytes; it is truncated, fetch it again");
        }
        if (end != dataLength)
            throw new ModelFormatException(file, $"the tensors cover {end} bytes, but the file holds {dataLength} data bytes");
    }
}
