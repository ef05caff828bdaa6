namespace DeltaKV.Gpu.Emulator;

internal enum OperandKind : byte
{
    Register,
    Special,
    Immediate,
    Float32,
    Float64,
    Symbol,
    Label,
    Address,
    Vector,
    Pair,
    Sink,
}

/// <summary>One parsed operand.</summary>
internal sealed class PtxOperand(OperandKind kind)
{
    public OperandKind Kind { get; } = kind;

    public PtxRegister? Register { get; init; }

    /// <summary>Name of a special register, label or symbol.</summary>
    public string Name { get; init; } = "";

    public PtxSymbol? Symbol { get; init; }

    /// <summary>Source written as <c>!%p</c>.</summary>
    public bool Negated { get; init; }

    /// <summary>Bits of an immediate, or the displacement of an address.</summary>
    public long Bits { get; init; }

    /// <summary>Base of an address (register, symbol or immediate).</summary>
    public PtxOperand? Base { get; init; }

    /// <summary>Elements of <c>{a, b}</c> and of <c>a|b</c>.</summary>
    public IReadOnlyList<PtxOperand> Elements { get; init; } = [];

    /// <summary>Labels are looked up where they are used, because inline templates bring their own.</summary>
    public PtxScope? Scope { get; init; }
}
