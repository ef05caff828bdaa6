using System.Linq.Expressions;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Loader;

namespace DeltaKV.Gpu.Tests.Compiler;

/// <summary>
/// Wraps static functions for a test both ways: a kernel <c>r[i] = f(a[i], b[i])</c> and a host loop that does the same on arrays.
/// The wrappers are written to an assembly in memory, because the compiler reads the IL of real methods only.
/// </summary>
internal sealed class ElementwiseAssembly
{
    private readonly Type wrappers;

    public ElementwiseAssembly(IReadOnlyList<MethodInfo> functions)
    {
        var assembly = new PersistedAssemblyBuilder(new AssemblyName($"Elementwise{Guid.NewGuid():n}"), typeof(object).Assembly);
        var type = assembly.DefineDynamicModule("Elementwise").DefineType("Wrappers", TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed);
        for (var i = 0; i < functions.Count; i++)
        {
            DefineKernel(type, functions[i], i);
            DefineHost(type, functions[i], i);
        }

        type.CreateType();
        using var image = new MemoryStream();
        assembly.Save(image);
        image.Position = 0;
        wrappers = AssemblyLoadContext.Default.LoadFromStream(image).GetType("Wrappers")!;
    }

    /// <summary>The kernel of a function, as a delegate.</summary>
    public Delegate Kernel(int index)
    {
        var method = wrappers.GetMethod($"Kernel{index}")!;
        return method.CreateDelegate(Expression.GetDelegateType([.. method.GetParameters().Select(static p => p.ParameterType), typeof(void)]));
    }

    /// <summary>Runs the function on the host over arrays, the result last.</summary>
    public void RunOnHost(int index, Array[] arrays) => wrappers.GetMethod($"Host{index}")!.Invoke(null, arrays);

    private static Type[] Types(MethodInfo function) => [.. function.GetParameters().Select(static p => p.ParameterType), function.ReturnType];

    private static void DefineKernel(TypeBuilder type, MethodInfo function, int index)
    {
        var types = Types(function);
        Type[] parameters = [typeof(Index1D), .. types.Select(static t => typeof(ArrayView<>).MakeGenericType(t))];
        var il = type.DefineMethod($"Kernel{index}", MethodAttributes.Public | MethodAttributes.Static, typeof(void), parameters).GetILGenerator();
        Element(types.Length - 1);
        for (var i = 0; i < types.Length - 1; i++)
        {
            Element(i);
            il.Emit(OpCodes.Ldobj, types[i]);
        }

        il.Emit(OpCodes.Call, function);
        il.Emit(OpCodes.Stobj, types[^1]);
        il.Emit(OpCodes.Ret);

        void Element(int argument)
        {
            il.Emit(OpCodes.Ldarga, (short)(argument + 1));
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Call, parameters[argument + 1].GetMethod("get_Item", [typeof(Index1D)])!);
        }
    }

    private static void DefineHost(TypeBuilder type, MethodInfo function, int index)
    {
        var types = Types(function);
        var il = type.DefineMethod($"Host{index}", MethodAttributes.Public | MethodAttributes.Static, typeof(void), [.. types.Select(static t => t.MakeArrayType())]).GetILGenerator();
        var i = il.DeclareLocal(typeof(int));
        var (body, test) = (il.DefineLabel(), il.DefineLabel());
        il.Emit(OpCodes.Br, test);
        il.MarkLabel(body);
        il.Emit(OpCodes.Ldarg, (short)(types.Length - 1));
        il.Emit(OpCodes.Ldloc, i);
        for (var j = 0; j < types.Length - 1; j++)
        {
            il.Emit(OpCodes.Ldarg, (short)j);
            il.Emit(OpCodes.Ldloc, i);
            il.Emit(OpCodes.Ldelem, types[j]);
        }

        il.Emit(OpCodes.Call, function);
        il.Emit(OpCodes.Stelem, types[^1]);
        il.Emit(OpCodes.Ldloc, i);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Stloc, i);
        il.MarkLabel(test);
        il.Emit(OpCodes.Ldloc, i);
        il.Emit(OpCodes.Ldarg, (short)(types.Length - 1));
        il.Emit(OpCodes.Ldlen);
        il.Emit(OpCodes.Conv_I4);
        il.Emit(OpCodes.Blt, body);
        il.Emit(OpCodes.Ret);
    }
}
