using System.Reflection;
using DeltaKV.Gpu.Compiler.Il;

namespace DeltaKV.Gpu.Compiler.Frontend;

/// <summary>Says in C# terms what an IL instruction that kernels cannot have came from.</summary>
internal static class Refusal
{
    public static string Of(in IlInstruction instruction) => instruction.Op switch
    {
        IlOp.NewArray => $"new {Name(instruction.Target)}[]: kernels do not allocate. Use SharedMemory.Allocate or LocalMemory.Allocate.",
        IlOp.LdLength or IlOp.LdElementAddress or (>= (IlOp)0x90 and <= (IlOp)0xa4) => "A managed array is used; kernels read memory through ArrayView.",
        IlOp.CastClass or IlOp.IsInstance or IlOp.Unbox or IlOp.UnboxAny or IlOp.Box => "A cast between objects; kernels have no objects.",
        IlOp.StStaticField => $"The static field {Name(instruction.Target)} is written; kernels have no statics that change. Pass a view.",
        IlOp.LdFunction or IlOp.LdVirtualFunction or IlOp.CallIndirect => "A delegate or function pointer; kernels call methods by name only.",
        IlOp.LocalAlloc => "stackalloc: use LocalMemory.Allocate.",
        (>= (IlOp)0xd4 and <= (IlOp)0xdb) or (>= (IlOp)0x82 and <= (IlOp)0x8b) or (>= (IlOp)0xb3 and <= (IlOp)0xba) =>
            "checked arithmetic throws on overflow, and kernels have no exceptions. Use unchecked arithmetic.",
        _ => $"The IL instruction {instruction.Op} is not something a kernel can do.",
    };

    private static string Name(object? target) => target switch
    {
        MemberInfo { DeclaringType: { } type } and not Type => $"{type.Name}.{((MemberInfo)target).Name}",
        MemberInfo member => member.Name,
        _ => "value",
    };
}
