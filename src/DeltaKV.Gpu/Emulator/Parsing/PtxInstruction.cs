namespace DeltaKV.Gpu.Emulator;

/// <summary>One parsed instruction with its operands resolved to registers, symbols and constants.</summary>
internal sealed class PtxInstruction
{
    private readonly string[] parts;
    private readonly string text;

    public PtxInstruction(string opcode, IReadOnlyList<PtxOperand> operands, PtxOperand? guard, int line, int location, string text)
    {
        Opcode = opcode;
        parts = opcode.Split('.');
        this.text = text;
        Operands = operands;
        Guard = guard;
        Line = line;
        Location = location;
        var types = new List<PtxType>(2);
        for (var k = 1; k < parts.Length; k++)
        {
            if (PtxTypes.TryParse(parts[k], out var type) && type != PtxType.None)
                types.Add(type);
        }

        Types = types;
    }

    public string Opcode { get; }

    /// <summary>The opcode before its first dot.</summary>
    public string Name => parts[0];

    public IReadOnlyList<PtxOperand> Operands { get; }

    /// <summary>Predicate of <c>@p</c> or <c>@!p</c>.</summary>
    public PtxOperand? Guard { get; }

    public int Line { get; }

    /// <summary>Index of the source position in force; 0 when there is none.</summary>
    public int Location { get; }

    /// <summary>The type modifiers in order, for instance destination then source of a conversion.</summary>
    public IReadOnlyList<PtxType> Types { get; }

    public PtxType Type => Types.Count > 0 ? Types[0] : PtxType.None;

    public bool Has(string modifier) => Array.IndexOf(parts, modifier, 1) >= 0;

    /// <summary>The modifier at a position after the name, or an empty string.</summary>
    public string Modifier(int index) => index + 1 < parts.Length ? parts[index + 1] : "";

    public IEnumerable<string> Modifiers => parts.Skip(1);

    public PtxParseException Unsupported(string reason = "unsupported instruction") => new(Line, text, reason);
}
