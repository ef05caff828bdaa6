namespace DeltaKV.Gpu;

/// <summary>Declares that, inside a kernel, a call of the method is the given PTX text.</summary>
/// <remarks>
/// <c>{r0}, {r1}, ...</c> name the scalars of the return value and <c>{0}, {1}, ...</c> those of the arguments; structs are flattened in
/// field order, an <see cref="ArrayView{T}"/> to its pointer and length, a <c>ref</c> to its pointer. <c>{n:shared}</c> asks for a 32-bit
/// shared-memory address, <c>{n:global}</c> for a 64-bit global one and <c>{n:imm}</c> for a compile-time constant; anything else is a compile error.
/// Literal braces are doubled. On the host the method's own body runs.
/// </remarks>
/// <param name="template">One or more PTX instructions, separated by line feeds.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PtxInstructionAttribute(string template) : Attribute
{
    /// <summary>The PTX text with its placeholders.</summary>
    public string Template { get; } = template;

    /// <summary>Whether the result depends on the arguments alone, so that the call may be removed, merged or moved.</summary>
    public bool Pure { get; init; }

    /// <summary>
    /// For a hint that gives no value: the first target that has it, such as 90 for <c>sm_90</c>. On older ones the call is nothing.
    /// </summary>
    public int HintSince { get; init; }
}
