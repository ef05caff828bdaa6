using System.Collections.Immutable;

namespace DeltaKV.Weights;

/// <summary>What a safetensors header says about one tensor. Offsets are bytes from the start of the data section.</summary>
internal sealed record TensorInfo(string Name, TensorDataType Type, ImmutableArray<long> Shape, long Offset, long ByteLength)
{
    /// <summary>Number of elements; the header parser has already refused shapes whose product overflows.</summary>
    internal long ElementCount { get; } = Shape.Aggregate(1L, (product, extent) => product * extent);

    public override string ToString() => $"{Name} {Type.HeaderName()} [{string.Join(", ", Shape)}]";
}
