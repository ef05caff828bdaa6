namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>What a <see cref="Value"/> computes.</summary>
internal enum Op : byte
{
    // Without operands.
    Const,
    Param,
    Special,
    SharedAddress,
    LocalAddress,

    /// <summary>A reference to a variable that lives in registers; never emitted.</summary>
    Place,
    Phi,

    // Two operands.
    Add,
    Sub,
    Mul,
    MulHighS,
    MulHighU,
    MulWideS,
    MulWideU,
    Div,
    DivU,
    Rem,
    RemU,
    Min,
    MinU,
    Max,
    MaxU,
    And,
    Or,
    Xor,
    Shl,
    Shr,
    ShrU,
    RotateLeft,
    Compare,

    // One operand.
    Neg,
    Not,
    Abs,
    Sqrt,
    Floor,
    Ceiling,
    Truncate,
    RoundEven,
    PopCount,
    LeadingZeros,
    ReverseBits,
    SignExtend8,
    SignExtend16,
    ZeroExtend8,
    ZeroExtend16,
    SignExtend,
    ZeroExtend,
    Narrow,
    IntToFloat,
    UIntToFloat,
    FloatToInt,
    FloatToUInt,
    FloatToFloat,
    BitCast,

    // Three operands.
    Select,
    Fma,

    /// <summary>a * b + c on integers; the wide forms multiply 32 bits into 64.</summary>
    Mad,
    MadWideS,
    MadWideU,

    /// <summary>Base, and perhaps an index: base + index * <see cref="Value.Scale"/> + <see cref="Value.Imm"/>.</summary>
    ElementAddress,

    /// <summary>One result of a value that has several.</summary>
    Extract,

    // Memory and everything that must stay where it is.
    Load,
    Store,
    Atomic,
    Template,
    Shuffle,
    Barrier,
    BarrierReduce,
    WarpBarrier,
    Assert,
}
