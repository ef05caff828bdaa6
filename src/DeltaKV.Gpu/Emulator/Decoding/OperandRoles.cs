namespace DeltaKV.Gpu.Emulator;

/// <summary>Which registers an instruction writes and reads.</summary>
internal static class OperandRoles
{
    public static IEnumerable<PtxRegister> Definitions(PtxInstruction i) =>
        HasDestination(i) && i.Operands.Count > 0 ? Registers(i.Operands[0]) : [];

    /// <summary>A guarded write keeps the old value elsewhere, so it counts as a read too.</summary>
    public static IEnumerable<PtxRegister> Uses(PtxInstruction i)
    {
        var first = HasDestination(i) && i.Guard is null ? 1 : 0;
        var uses = i.Operands.Skip(first).SelectMany(Registers);
        return i.Guard is null ? uses : uses.Append(i.Guard.Register!);
    }

    private static bool HasDestination(PtxInstruction i) => i.Name switch
    {
        "st" or "stmatrix" or "red" or "bra" or "brx" or "ret" or "exit" or "trap" or "brkpt" or "cp" or "nanosleep" or "membar" or "fence"
            or "prefetch" or "prefetchu" or "discard" or "applypriority" or "griddepcontrol" or "setmaxnreg" or "pmevent" => false,
        "bar" or "barrier" => i.Has("red"),
        _ => true,
    };

    private static IEnumerable<PtxRegister> Registers(PtxOperand operand) => operand.Kind switch
    {
        OperandKind.Register => [operand.Register!],
        OperandKind.Address => Registers(operand.Base!),
        OperandKind.Vector or OperandKind.Pair => operand.Elements.SelectMany(Registers),
        _ => [],
    };
}
