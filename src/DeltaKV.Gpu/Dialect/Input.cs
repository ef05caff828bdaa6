namespace DeltaKV.Gpu;

/// <summary>An input of inline PTX.</summary>
/// <typeparam name="T">A number.</typeparam>
public struct Input<T> : ICudaAsmEmitParameter
    where T : struct
{
    /// <summary>The number.</summary>
    public T Value;

    /// <summary>Wraps a number.</summary>
    public static implicit operator Input<T>(T value) => new() { Value = value };
}
