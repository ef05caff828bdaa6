namespace DeltaKV.Weights;

/// <summary>One tensor and the mapped file that holds it.</summary>
internal sealed unsafe record ModelTensor(SafetensorsFile File, TensorInfo Info)
{
    internal byte* Pointer => File.Pointer(Info);

    internal ReadOnlySpan<byte> Bytes(long offset, int length) => File.Bytes(Info, offset, length);

    /// <summary>Converts <c>destination.Length</c> elements from <paramref name="start"/> on to bf16 bits, rounding to nearest even.</summary>
    internal void ReadBFloat16(long start, Span<ushort> destination) =>
        TensorConversion.ToBFloat16(Info.Type, Elements(start, destination.Length), destination, this);

    /// <summary>Converts <c>destination.Length</c> elements from <paramref name="start"/> on to fp32.</summary>
    internal void ReadSingle(long start, Span<float> destination) =>
        TensorConversion.ToSingle(Info.Type, Elements(start, destination.Length), destination, this);

    internal ModelFormatException Fault(string reason) => new(File.Path, Info.Name, reason);

    private ReadOnlySpan<byte> Elements(long start, int count)
    {
        var elementBytes = Info.Type.Bits() / 8;
        return Bytes(start * elementBytes, checked(count * elementBytes));
    }
}
