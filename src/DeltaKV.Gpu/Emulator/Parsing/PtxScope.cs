using System.Diagnostics.CodeAnalysis;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Names declared between one pair of braces.</summary>
internal sealed class PtxScope(PtxScope? parent)
{
    private readonly Dictionary<string, PtxRegister> registers = [];
    private readonly Dictionary<string, (PtxType Type, int Count)> ranges = [];
    private readonly Dictionary<string, PtxSymbol> symbols = [];
    private readonly Dictionary<string, int> labels = [];
    private readonly Dictionary<string, IReadOnlyList<PtxOperand>> branchTargets = [];

    public PtxScope? Parent { get; } = parent;

    public void Declare(string name, PtxType type) => registers[name] = new PtxRegister(name, type);

    public void DeclareRange(string prefix, PtxType type, int count) => ranges[prefix] = (type, count);

    public void Declare(PtxSymbol symbol) => symbols[symbol.Name] = symbol;

    public void DeclareLabel(string name, int instruction) => labels[name] = instruction;

    public void DeclareBranchTargets(string name, IReadOnlyList<PtxOperand> targets) => branchTargets[name] = targets;

    public PtxRegister? FindRegister(string name)
    {
        if (registers.TryGetValue(name, out var register))
            return register;
        var digits = name.Length;
        while (digits > 0 && char.IsAsciiDigit(name[digits - 1]))
            digits--;
        if (digits < name.Length && ranges.TryGetValue(name[..digits], out var range)
            && int.TryParse(name.AsSpan(digits), out var index) && index < range.Count)
        {
            register = new PtxRegister(name, range.Type);
            registers.Add(name, register);
            return register;
        }

        return Parent?.FindRegister(name);
    }

    public bool TryFindSymbol(string name, [NotNullWhen(true)] out PtxSymbol? symbol) => TryFind(static scope => scope.symbols, name, out symbol);

    public bool TryFindLabel(string name, out int instruction) => TryFind(static scope => scope.labels, name, out instruction);

    public bool TryFindBranchTargets(string name, [NotNullWhen(true)] out IReadOnlyList<PtxOperand>? targets) =>
        TryFind(static scope => scope.branchTargets, name, out targets);

    private bool TryFind<T>(Func<PtxScope, Dictionary<string, T>> names, string name, [MaybeNullWhen(false)] out T found)
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            if (names(scope).TryGetValue(name, out found))
                return true;
        }

        found = default;
        return false;
    }
}
