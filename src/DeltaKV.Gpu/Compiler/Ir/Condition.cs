namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>A comparison. The U forms are unsigned on integers and "or unordered" on floats; NotEqual on floats is true for NaN.</summary>
internal enum Condition : byte
{
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    LessU,
    LessEqualU,
    GreaterU,
    GreaterEqualU,
}

/// <summary>Facts about <see cref="Condition"/>.</summary>
internal static class Conditions
{
    public static Condition Swap(this Condition condition) => condition switch
    {
        Condition.Less => Condition.Greater,
        Condition.LessEqual => Condition.GreaterEqual,
        Condition.Greater => Condition.Less,
        Condition.GreaterEqual => Condition.LessEqual,
        Condition.LessU => Condition.GreaterU,
        Condition.LessEqualU => Condition.GreaterEqualU,
        Condition.GreaterU => Condition.LessU,
        Condition.GreaterEqualU => Condition.LessEqualU,
        _ => condition,
    };

    public static Condition Invert(this Condition condition, IrType type) => condition switch
    {
        Condition.Equal => Condition.NotEqual,
        Condition.NotEqual => Condition.Equal,
        _ when type is IrType.F32 or IrType.F64 => InvertFloat(condition),
        Condition.Less => Condition.GreaterEqual,
        Condition.LessEqual => Condition.Greater,
        Condition.Greater => Condition.LessEqual,
        Condition.GreaterEqual => Condition.Less,
        Condition.LessU => Condition.GreaterEqualU,
        Condition.LessEqualU => Condition.GreaterU,
        Condition.GreaterU => Condition.LessEqualU,
        _ => Condition.LessU,
    };

    private static Condition InvertFloat(Condition condition) => condition switch
    {
        Condition.Less => Condition.GreaterEqualU,
        Condition.LessEqual => Condition.GreaterU,
        Condition.Greater => Condition.LessEqualU,
        Condition.GreaterEqual => Condition.LessU,
        Condition.LessU => Condition.GreaterEqual,
        Condition.LessEqualU => Condition.Greater,
        Condition.GreaterU => Condition.LessEqual,
        _ => Condition.Less,
    };
}
