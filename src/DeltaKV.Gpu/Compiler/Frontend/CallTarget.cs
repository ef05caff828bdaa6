using System.Collections.Concurrent;
using System.Reflection;
using DeltaKV.Gpu.Compiler.Frontend.Intrinsics;

namespace DeltaKV.Gpu.Compiler.Frontend;

/// <summary>A called method with everything reflection is slow to tell. Shared by all compilations.</summary>
internal sealed class CallTarget
{
    private static readonly ConcurrentDictionary<MethodBase, CallTarget> Cache = new();

    private CallTarget(MethodBase method)
    {
        Method = method;
        Parameters = Array.ConvertAll(method.GetParameters(), static parameter => parameter.ParameterType);
        HasThis = !method.IsStatic;
        Result = method is MethodInfo info ? info.ReturnType : typeof(void);
        GenericArguments = method.IsGenericMethod ? method.GetGenericArguments() : [];
        Template = method.GetCustomAttribute<PtxInstructionAttribute>();
        Emit = IntrinsicTable.Find(method);
    }

    public MethodBase Method { get; }

    public string Name => Method.Name;

    /// <summary>The parameter types without <c>this</c>.</summary>
    public Type[] Parameters { get; }

    public bool HasThis { get; }

    public Type Result { get; }

    public Type[] GenericArguments { get; }

    public PtxInstructionAttribute? Template { get; }

    /// <summary>The family of intrinsics the method may belong to.</summary>
    public IntrinsicFamily? Emit { get; }

    public static CallTarget Of(MethodBase method) =>
        Cache.TryGetValue(method, out var known) ? known : Cache.GetOrAdd(method, static key => new CallTarget(key));
}
