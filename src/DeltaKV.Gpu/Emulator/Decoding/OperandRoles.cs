namespace DeltaKV.Gpu.Emulator;

/// <summary>Which registers an instruction writes and reads.</summary>
internal static class OperandRoles
{
    /// <summary>Appends to the lists. A guarded write keeps the old value elsewhere, so it counts as a read too.</summary>
    public static void Collect(PtxInstruction i, List<PtxRegister> definitions, List<PtxRegister> uses)
    {
        var operands = i.Operands;
        var first = 0;
        if (operands.Count > 0 && HasDestination(i))
        {
            Append(operands[0], definitions);
            first = i.Guard is null ? 1 : 0;
        }

        for (var k = first; k < operands.Count; k++)
            Append(operands[k], uses);
        if (i.Guard is not null)
            uses.Add(i.Guard.Register!);
    }

    private static bool HasDestination(PtxInstruction i) => i.Name switch
    {
        "st" or "stmatrix" or "red" or "bra" or "brx" or "ret" or "exit" or "trap" or "brkpt" or "cp" or "nanosleep" or "membar" or "fence"
            or "prefetch" or "prefetchu" or "discard" or "applypriority" or "griddepcontrol" or "setmaxnreg" or "pmevent" => false,
        "bar" or "barrier" => i.Has("red"),
        _ => true,
    };

    private static void Append(PtxOperand operand, List<PtxRegister> registers)
    {
        switch (operand.Kind)
        {
            case OperandKind.Register: registers.Add(operand.Register!); break;
            case OperandKind.Address: Append(operand.Base!, registers); break;
            case OperandKind.Vector or OperandKind.Pair:
                for (var k = 0; k < operand.Elements.Count; k++)
                    Append(operand.Elements[k], registers);
                break;
            default: break;
        }
    }
}
