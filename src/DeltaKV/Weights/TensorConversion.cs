using System.Runtime.InteropServices;

namespace DeltaKV.Weights;

/// <summary>Converts stored weights to what a device buffer holds. Only the types models ship in: bf16, f16, f32.</summary>
internal static class TensorConversion
{
    internal static void ToBFloat16(TensorDataType type, ReadOnlySpan<byte> source, Span<ushort> destination, ModelTensor tensor)
    {
        switch (type)
        {
            case TensorDataType.BF16:
                source.CopyTo(MemoryMarshal.AsBytes(destination));
                break;
            case TensorDataType.F32:
                var singles = MemoryMarshal.Cast<byte, float>(source);
                for (var i = 0; i < singles.Length; i++)
                    destination[i] = RoundToBFloat16(singles[i]);
                break;
            case TensorDataType.F16:
                var halves = MemoryMarshal.Cast<byte, Half>(source);
                for (var i = 0; i < halves.Length; i++)
                    destination[i] = RoundToBFloat16((float)halves[i]);
                break;
            default:
                throw Unsupported(tensor);
        }
    }

    internal static void ToSingle(TensorDataType type, ReadOnlySpan<byte> source, Span<float> destination, ModelTensor tensor)
    {
        switch (type)
        {
            case TensorDataType.BF16:
                var bits = MemoryMarshal.Cast<byte, ushort>(source);
                for (var i = 0; i < bits.Length; i++)
                    destination[i] = BitConverter.UInt32BitsToSingle((uint)bits[i] << 16);
                break;
            case TensorDataType.F32:
                source.CopyTo(MemoryMarshal.AsBytes(destination));
                break;
            case TensorDataType.F16:
                var halves = MemoryMarshal.Cast<byte, Half>(source);
                for (var i = 0; i < halves.Length; i++)
                    destination[i] = (float)halves[i];
                break;
            default:
                throw Unsupported(tensor);
        }
    }

    internal static ushort RoundToBFloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        // A NaN whose payload sits in the low half would round to infinity; keep it quiet instead.
        if (float.IsNaN(value))
            return (ushort)((bits >> 16) | 0x40);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private static ModelFormatException Unsupported(ModelTensor tensor) =>
        tensor.Fault($"dtype {tensor.Info.Type.HeaderName()} is not supported for weights; expected BF16, F16 or F32");
}
