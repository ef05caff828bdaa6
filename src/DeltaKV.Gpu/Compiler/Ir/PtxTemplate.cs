using DeltaKV.Gpu.Compiler.Il;

namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>Inline PTX with placeholders, and the kinds of the scalars that fill them.</summary>
internal sealed class PtxTemplate(string text, bool isPure, ScalarKind[] results, ScalarKind[] arguments)
{
    /// <summary><c>{r0}</c> is a result, <c>{0}</c> an argument, <c>{{</c> a brace.</summary>
    public string Text { get; } = text;

    public bool IsPure { get; } = isPure;

    public ScalarKind[] Results { get; } = results;

    public ScalarKind[] Arguments { get; } = arguments;

    /// <summary>Whether all lanes of the warp must run it together.</summary>
    public bool IsConvergent { get; } = text.Contains(".sync", StringComparison.Ordinal) || text.Contains(".aligned", StringComparison.Ordinal);

    public bool TouchesMemory { get; } = text.Contains('[', StringComparison.Ordinal);

    /// <summary>Whether results may be written before all arguments are read.</summary>
    public bool HasSeveralInstructions { get; } = text.AsSpan().Count(';') > 1;

    /// <summary>The space of each argument that is an address.</summary>
    public AddressSpace[] Spaces { get; } = new AddressSpace[arguments.Length];

    /// <summary>Bytes to add to each argument that is an address.</summary>
    public long[] Offsets { get; } = new long[arguments.Length];

    /// <summary>Whether an argument appears only as a whole address, so that an offset can be written beside it.</summary>
    public bool TakesOffset(int argument)
    {
        var places = Text.AsSpan().Count($"{{{argument}:") + Text.AsSpan().Count($"{{{argument}}}");
        return places > 0 && places == Text.AsSpan().Count($"[{{{argument}:shared}}]") + Text.AsSpan().Count($"[{{{argument}:global}}]") + Text.AsSpan().Count($"[{{{argument}}}]");
    }

    public override bool Equals(object? obj) => obj is PtxTemplate other && other.Text == Text && other.Offsets.AsSpan().SequenceEqual(Offsets);

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);
}
