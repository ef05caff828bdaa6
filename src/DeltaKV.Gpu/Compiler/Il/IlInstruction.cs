namespace DeltaKV.Gpu.Compiler.Il;

/// <summary>One decoded IL instruction.</summary>
/// <param name="Op">The operation.</param>
/// <param name="Offset">Its byte offset in the method.</param>
internal record struct IlInstruction(IlOp Op, int Offset)
{
    /// <summary>An integer or token operand, the raw bits of a float, the byte offset a branch goes to, or a variable's number.</summary>
    public long Operand { get; set; }

    /// <summary>The resolved member or type of a token operand, or the byte offsets of a switch.</summary>
    public object? Target { get; set; }

    /// <summary>The type of a preceding <c>constrained.</c> prefix.</summary>
    public Type? Constraint { get; set; }

    /// <summary>Whether a <c>volatile.</c> prefix precedes.</summary>
    public bool IsVolatile { get; set; }

    public readonly int Int => (int)Operand;

    public readonly bool IsConditionalBranch => Op is >= IlOp.BrFalse and <= IlOp.BltUn;

    public readonly bool EndsBlock => Op is (>= IlOp.Br and <= IlOp.Switch) or IlOp.Ret or IlOp.Throw or IlOp.Leave or IlOp.Jmp;
}
