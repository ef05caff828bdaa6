namespace DeltaKV.Weights;

/// <summary>Element types of the safetensors format, named as the format names them.</summary>
internal enum TensorDataType
{
    Bool,
    F4,
    F6E2M3,
    F6E3M2,
    U8,
    I8,
    F8E5M2,
    F8E4M3,
    F8E8M0,
    I16,
    U16,
    F16,
    BF16,
    I32,
    U32,
    F32,
    C64,
    F64,
    I64,
    U64,
}

internal static class TensorDataTypes
{
    private static readonly (TensorDataType Type, string Name, int Bits)[] Table =
    [
        (TensorDataType.Bool, "BOOL", 8),
        (TensorDataType.F4, "F4", 4),
        (TensorDataType.F6E2M3, "F6_E2M3", 6),
        (TensorDataType.F6E3M2, "F6_E3M2", 6),
        (TensorDataType.U8, "U8", 8),
        (TensorDataType.I8, "I8", 8),
        (TensorDataType.F8E5M2, "F8_E5M2", 8),
        (TensorDataType.F8E4M3, "F8_E4M3", 8),
        (TensorDataType.F8E8M0, "F8_E8M0", 8),
        (TensorDataType.I16, "I16", 16),
        (TensorDataType.U16, "U16", 16),
        (TensorDataType.F16, "F16", 16),
        (TensorDataType.BF16, "BF16", 16),
        (TensorDataType.I32, "I32", 32),
        (TensorDataType.U32, "U32", 32),
        (TensorDataType.F32, "F32", 32),
        (TensorDataType.C64, "C64", 64),
        (TensorDataType.F64, "F64", 64),
        (TensorDataType.I64, "I64", 64),
        (TensorDataType.U64, "U64", 64),
    ];

    /// <summary>Bits per element.</summary>
    internal static int Bits(this TensorDataType type) => Table[(int)type].Bits;

    /// <summary>The name written in a safetensors header.</summary>
    internal static string HeaderName(this TensorDataType type) => Table[(int)type].Name;

    internal static bool TryParse(string name, out TensorDataType type)
    {
        foreach (var entry in Table)
        {
            if (entry.Name != name)
                continue;
            type = entry.Type;
            return true;
        }
        type = default;
        return false;
    }
}
