using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using System.Text;
using DeltaKV.Gpu.Compiler.Frontend;
using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;
using DeltaKV.Gpu.Compiler.Passes;
using DeltaKV.Gpu.Compiler.Ptx;

namespace DeltaKV.Gpu.Compiler;

/// <summary>Compiles a C# method to PTX. Safe to call from several threads at once.</summary>
internal static class KernelCompiler
{
    /// <summary>Changes whenever the same IL may give other PTX; part of the key of every cache.</summary>
    public const int Version = 1;

    private const int LargeStackBytes = 256 << 20;

    /// <summary>Compiles a kernel.</summary>
    /// <exception cref="KernelCompileException">The kernel does something a kernel cannot.</exception>
    public static CompiledKernel Compile(MethodInfo kernel, CompileOptions options)
    {
        PtxTarget.Number(options.Target);
        try
        {
            return CompileHere(kernel, options);
        }
        catch (InsufficientExecutionStackException)
        {
            return CompileWithLargeStack(kernel, options);
        }
    }

    private static CompiledKernel CompileHere(MethodInfo kernel, CompileOptions options)
    {
        var memoryArrays = new HashSet<string>();
        while (true)
        {
            try
            {
                return Compile(kernel, options, memoryArrays);
            }
            catch (RegisterArrayException exception)
            {
                memoryArrays.Add(exception.Site.Path);
            }
        }
    }

    private static CompiledKernel CompileWithLargeStack(MethodInfo kernel, CompileOptions options)
    {
        CompiledKernel? compiled = null;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(Run, LargeStackBytes);
        thread.Start();
        thread.Join();
        failure?.Throw();
        return compiled!;

        void Run()
        {
            try
            {
                compiled = CompileHere(kernel, options);
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        }
    }

    private static CompiledKernel Compile(MethodInfo kernel, CompileOptions options, HashSet<string> memoryArrays)
    {
        if (kernel.ContainsGenericParameters)
            throw new KernelCompileException($"{KernelCompileException.Describe(kernel)} is an open generic method; give its type arguments first.");
        if (kernel.ReturnType != typeof(void))
            throw new KernelCompileException($"{KernelCompileException.Describe(kernel)} returns {kernel.ReturnType.Name}; a kernel returns void and writes to its views.");
        var il = IlMethod.Of(kernel) ?? throw new KernelCompileException($"{KernelCompileException.Describe(kernel)} has no IL body.");
        var function = new Function();
        var parameters = ImmutableArray.CreateBuilder<KernelParameter>();
        var (arguments, start) = KernelEntry.Arguments(function, kernel, il, options, parameters);
        new Translator(function, options, memoryArrays).Kernel(il, arguments, start);
        Optimizer.Run(function);
        var display = DisplayName(kernel);
        var entry = EntryName(kernel, display);
        var ptx = PtxEmitter.Emit(function, options, entry, display, parameters);
        var sharedBytes = 0;
        foreach (var memory in function.Memory)
        {
            if (memory.Space == AddressSpace.Shared)
                sharedBytes = (sharedBytes + memory.Alignment - 1) / memory.Alignment * memory.Alignment + memory.Bytes;
        }

        return new CompiledKernel(entry, display, ptx, parameters.ToImmutable(), sharedBytes, function.UsesDynamicShared);
    }

    private static string DisplayName(MethodInfo kernel)
    {
        var name = new StringBuilder().Append(kernel.DeclaringType is { } type ? TypeName(type) + "." : "").Append(kernel.Name);
        if (kernel.IsGenericMethod)
            name.Append('<').AppendJoin(", ", kernel.GetGenericArguments().Select(TypeName)).Append('>');
        return name.ToString();
    }

    private static string TypeName(Type type) => type.IsGenericType
        ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(TypeName))}>"
        : type.Name;

    private static string EntryName(MethodInfo kernel, string display)
    {
        var name = new StringBuilder();
        foreach (var c in display.AsSpan()[..Math.Min(display.Length, 60)])
            name.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');
        if (!char.IsAsciiLetter(name[0]))
            name.Insert(0, 'k');
        var identity = $"{kernel.DeclaringType?.AssemblyQualifiedName}.{kernel}.{display}";
        return name.Append('_').Append(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity)).AsSpan(0, 4))).ToString();
    }
}
