using System.Diagnostics;
using System.Numerics;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu.Compiler.Frontend.Intrinsics;

/// <summary>Which family knows the members of a type.</summary>
internal static class IntrinsicTable
{
    private static readonly Dictionary<Type, IntrinsicFamily> Families = new()
    {
        [typeof(ArrayView<>)] = ViewIntrinsics.Emit,
        [typeof(Grid)] = ThreadIntrinsics.EmitGrid,
        [typeof(Group)] = ThreadIntrinsics.EmitGroup,
        [typeof(Warp)] = WarpIntrinsics.Emit,
        [typeof(SharedMemory)] = MemoryIntrinsics.EmitShared,
        [typeof(LocalMemory)] = MemoryIntrinsics.EmitLocal,
        [typeof(Atomic)] = MemoryIntrinsics.EmitAtomic,
        [typeof(Volatile)] = MemoryIntrinsics.EmitVolatile,
        [typeof(Unsafe)] = MemoryIntrinsics.EmitUnsafe,
        [typeof(Unroll)] = LanguageIntrinsics.EmitUnroll,
        [typeof(Debug)] = LanguageIntrinsics.EmitAssert,
        [typeof(Trace)] = LanguageIntrinsics.EmitAssert,
        [typeof(Type)] = LanguageIntrinsics.EmitType,
        [typeof(RuntimeHelpers)] = LanguageIntrinsics.EmitRuntimeHelpers,
        [typeof(CudaAsm)] = PtxIntrinsics.EmitAssembly,
        [typeof(Math)] = MathIntrinsics.Emit,
        [typeof(MathF)] = MathIntrinsics.Emit,
        [typeof(BitOperations)] = BitIntrinsics.EmitOperations,
        [typeof(BitConverter)] = BitIntrinsics.EmitConverter,
        [typeof(System.Half)] = BitIntrinsics.EmitHalf,
    };

    public static IntrinsicFamily? Find(MethodBase method)
    {
        if (method.DeclaringType is not { } type)
            return null;
        if (method.Name is "get_IsSupported" or "get_IsHardwareAccelerated" && type.Namespace?.StartsWith("System.Runtime.Intrinsics", StringComparison.Ordinal) == true)
            return LanguageIntrinsics.EmitUnsupported;
        if (type.IsGenericType)
            type = type.GetGenericTypeDefinition();
        return Families.GetValueOrDefault(type);
    }
}
