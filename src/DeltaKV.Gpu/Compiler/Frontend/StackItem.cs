using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend;

/// <summary>What stands on the IL stack: a scalar, the scalars of a struct, or something known at compile time only.</summary>
internal readonly struct StackItem
{
    private readonly Value? scalar;
    private readonly Value[]? leaves;

    public StackItem(Value value) => scalar = value;

    public StackItem(TypeLayout layout, Value[] values)
    {
        if (layout.IsScalar)
        {
            scalar = values[0];
            return;
        }

        Layout = layout;
        leaves = values;
    }

    private StackItem(object constant) => Constant = constant;

    /// <summary>The struct's layout; null for a scalar.</summary>
    public TypeLayout? Layout { get; }

    /// <summary>A string or a type, usable only by members that take constants.</summary>
    public object? Constant { get; }

    public bool IsScalar => scalar is not null;

    public Value Scalar => (scalar ?? throw new NotSupportedException(Constant is null
        ? $"A {Layout?.Type.Name ?? "value"} stands where a number is needed."
        : Constant is BoxedValue boxed ? $"{boxed.Type.Name} is boxed: kernels have no objects."
        : $"A {(Constant is Type ? "Type" : Constant.GetType().Name)} object is used; kernels have none.")).Resolve();

    /// <summary>The result of a call that has none.</summary>
    public static StackItem Nothing => default;

    /// <summary>What a family of intrinsics answers for a member that is not one of its own.</summary>
    public static StackItem? NotMine => null;

    public bool IsNothing => scalar is null && leaves is null && Constant is null;

    public static StackItem Known(object constant) => new(constant);

    public static implicit operator StackItem(Value value) => new(value);

    public Value[] Leaves()
    {
        if (scalar is not null)
            return [scalar.Resolve()];
        if (leaves is null)
            return [Scalar];
        for (var i = 0; i < leaves.Length; i++)
            leaves[i] = leaves[i].Resolve();
        return leaves;
    }
}
