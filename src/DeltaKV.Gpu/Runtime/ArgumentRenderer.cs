using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using DeltaKV.Gpu.Compiler;

namespace DeltaKV.Gpu.Runtime;

/// <summary>Writes the arguments of a failed launch.</summary>
internal static unsafe class ArgumentRenderer
{
    private static readonly MethodInfo Read = typeof(Unsafe).GetMethod(nameof(Unsafe.Read))!;

    internal static string Render(MethodInfo method, ImmutableArray<KernelParameter> parameters, void** arguments)
    {
        var named = method.GetParameters();
        return string.Join(", ", parameters.Select((parameter, i) => $"{(i < named.Length ? named[i].Name : parameter.Name)} = {Value(parameter.Type, arguments[i])}"));
    }

    private static string Value(Type type, void* value)
    {
        var boxed = Read.MakeGenericMethod(type).Invoke(null, [Pointer.Box(value, typeof(void*))]);
        return Convert.ToString(boxed, CultureInfo.InvariantCulture) ?? "";
    }
}
