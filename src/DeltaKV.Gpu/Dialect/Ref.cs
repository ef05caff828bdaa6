namespace DeltaKV.Gpu;

/// <summary>An input that is also a result of inline PTX.</summary>
/// <typeparam name="T">A number.</typeparam>
public struct Ref<T> : ICudaAsmEmitParameter
    where T : struct
{
    /// <summary>The number.</summary>
    public T Value;

    /// <summary>Wraps a number.</summary>
    public static implicit operator Ref<T>(T value) => new() { Value = value };
}
