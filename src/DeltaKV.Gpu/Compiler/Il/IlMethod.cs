using System.Collections.Concurrent;
using System.Reflection;

namespace DeltaKV.Gpu.Compiler.Il;

/// <summary>A method's body, decoded, with its control flow. Shared by all compilations.</summary>
internal sealed class IlMethod
{
    private static readonly ConcurrentDictionary<MethodBase, IlMethod> Cache = new();

    private IlMethod(MethodBase method, MethodBody body)
    {
        Method = method;
        Code = [.. new IlDecoder(method, body.GetILAsByteArray()).Decode()];
        var locals = body.LocalVariables;
        Locals = new Type[locals.Count];
        for (var i = 0; i < Locals.Length; i++)
            Locals[i] = locals[i].LocalType;
        var parameters = method.GetParameters();
        var shift = method.IsStatic ? 0 : 1;
        Arguments = new Type[parameters.Length + shift];
        if (shift == 1)
            Arguments[0] = method.DeclaringType!.IsValueType ? method.DeclaringType.MakeByRefType() : method.DeclaringType;
        for (var i = 0; i < parameters.Length; i++)
            Arguments[i + shift] = parameters[i].ParameterType;
        IsKernelOnly = Array.Exists(Code, static call => call.Target is MethodInfo callee && callee.DeclaringType == typeof(KernelOnlyException));
        HasHandlers = body.ExceptionHandlingClauses.Count > 0;
        Flow = HasHandlers ? null : new ControlFlow(Code);
    }

    public MethodBase Method { get; }

    /// <summary>Whether the body is only there to tell the host that it cannot run: the compiler has to know the method.</summary>
    public bool IsKernelOnly { get; }

    public IlInstruction[] Code { get; }

    public Type[] Locals { get; }

    /// <summary>The argument types, with <c>this</c> first.</summary>
    public Type[] Arguments { get; }

    /// <summary>Whether there is any try block.</summary>
    public bool HasHandlers { get; }

    /// <summary>The control flow; null with try blocks, which kernels cannot have.</summary>
    public ControlFlow? Flow { get; }

    /// <summary>The decoded method, or null when it has no IL.</summary>
    public static IlMethod? Of(MethodBase method)
    {
        if (Cache.TryGetValue(method, out var known))
            return known;
        return method.GetMethodBody() is { } body ? Cache.GetOrAdd(method, new IlMethod(method, body)) : null;
    }
}
