#:property PublishAot=false
// Writes what C# can only say once per number of parameters: the launchers of kernels and the overloads of inline PTX.
// Run from the repository root: dotnet run tools/generate-arities.cs
using System.Text;

Write("Runtime/KernelLaunchers.g.cs", Launchers());
Write("Dialect/CudaAsm.g.cs", InlinePtx());

static string Launchers()
{
    const int MostParameters = 14;
    var text = new StringBuilder("""
        using System.Runtime.CompilerServices;
        using DeltaKV.Gpu.Runtime;

        namespace DeltaKV.Gpu
        {
            /// <summary>Loads C# methods as kernels and returns the delegates that launch them. A second load of the same method is a look-up.</summary>
            public static class KernelLoaders
            {

        """);
    for (var n = 1; n <= MostParameters; n++)
    {
        var types = List(n, i => $"T{i + 1}");
        var where = List(n, i => $"where T{i + 1} : struct", " ");
        const string Plain = "new KernelLauncher(accelerator.Load(action, false)).";
        const string Bounded = "new KernelLauncher(accelerator.Load(action, false, specialization)).";
        Loader("The launcher of an explicitly grouped kernel: stream, configuration, arguments.",
            $"Action<AcceleratorStream, KernelConfig, {types}> LoadKernel<{types}>", $"Action<{types}> action", where, Plain + "Launch");
        Loader("The launcher of an explicitly grouped kernel whose group size is bounded.",
            $"Action<AcceleratorStream, KernelConfig, {types}> LoadKernel<{types}>", $"Action<{types}> action, KernelSpecialization specialization", where,
            Bounded + "Launch");
        Loader("The launcher of an explicitly grouped kernel on the default stream.",
            $"Action<KernelConfig, {types}> LoadStreamKernel<{types}>", $"Action<{types}> action", where, Plain + "LaunchOnDefault");
        Loader("The launcher of an explicitly grouped kernel whose group size is bounded, on the default stream.",
            $"Action<KernelConfig, {types}> LoadStreamKernel<{types}>", $"Action<{types}> action, KernelSpecialization specialization", where,
            Bounded + "LaunchOnDefault");
        const string Chosen = "new KernelLauncher(accelerator.Load(action, true)).";
        const string Sized = "new KernelLauncher(accelerator.Load(action, true), customGroupSize).";
        where = "where TIndex : struct, IIndex " + where;
        Loader("The launcher of an implicitly grouped kernel: stream, extent, arguments.",
            $"Action<AcceleratorStream, TIndex, {types}> LoadAutoGroupedKernel<TIndex, {types}>", $"Action<TIndex, {types}> action", where,
            Chosen + "LaunchOver");
        Loader("The launcher of an implicitly grouped kernel on the default stream.",
            $"Action<TIndex, {types}> LoadAutoGroupedStreamKernel<TIndex, {types}>", $"Action<TIndex, {types}> action", where,
            Chosen + "LaunchOverOnDefault");
        Loader("The launcher of an implicitly grouped kernel with a group size.",
            $"Action<AcceleratorStream, TIndex, {types}> LoadImplicitlyGroupedKernel<TIndex, {types}>", $"Action<TIndex, {types}> action, int customGroupSize",
            where, Sized + "LaunchOver");
        Loader("The launcher of an implicitly grouped kernel with a group size, on the default stream.",
            $"Action<TIndex, {types}> LoadImplicitlyGroupedStreamKernel<TIndex, {types}>", $"Action<TIndex, {types}> action, int customGroupSize", where,
            Sized + "LaunchOverOnDefault");
    }

    text.Append("""
            }
        }

        namespace DeltaKV.Gpu.Runtime
        {
            internal sealed unsafe partial class KernelLauncher
            {

        """);
    for (var n = 1; n <= MostParameters; n++)
    {
        var types = List(n, i => $"T{i + 1}");
        var where = List(n, i => $"where T{i + 1} : struct", " ");
        var declared = List(n, i => $"T{i + 1} p{i + 1}");
        var passed = List(n, i => $"p{i + 1}");
        var addresses = List(n, i => $"Unsafe.AsPointer(ref p{i + 1})");
        text.Append($$"""
                    internal void LaunchOnDefault<{{types}}>(KernelConfig config, {{declared}}) {{where}} => Launch(Kernel.Accelerator.DefaultStream, config, {{passed}});
                    internal void LaunchOverOnDefault<TIndex, {{types}}>(TIndex extent, {{declared}}) where TIndex : struct, IIndex {{where}} => LaunchOver(Kernel.Accelerator.DefaultStream, extent, {{passed}});
                    internal void Launch<{{types}}>(AcceleratorStream stream, KernelConfig config, {{declared}}) {{where}}
                    {
                        var arguments = stackalloc void*[] { {{addresses}} };
                        Kernel.Launch(stream, config, arguments);
                    }
                    internal void LaunchOver<TIndex, {{types}}>(AcceleratorStream stream, TIndex extent, {{declared}}) where TIndex : struct, IIndex {{where}}
                    {
                        var arguments = stackalloc void*[] { Unsafe.AsPointer(ref extent), {{addresses}} };
                        Kernel.LaunchOver(stream, extent, groupSize, arguments);
                    }

            """);
    }

    return text.Append("    }\n}\n").ToString();

    void Loader(string summary, string signature, string parameters, string where, string body) => text.Append($$"""
                /// <summary>{{summary}}</summary>
                public static {{signature}}(this Accelerator accelerator, {{parameters}}) {{where}} => {{body}};

        """);
}

static string InlinePtx()
{
    const int MostArguments = 10;
    const int MostReferences = 24;
    var text = new StringBuilder("""
        namespace DeltaKV.Gpu;

        public static partial class CudaAsm
        {

        """);
    for (var n = 1; n <= MostArguments; n++)
    {
        var where = List(n, i => $"where T{i} : struct", " ");
        Overload("Writes PTX instructions into the kernel.", "Emit", n, List(n, i => $"T{i} arg{i}"), where);
        Overload("Writes PTX instructions into the kernel; argument 0 is the result.", "Emit", n, "out " + List(n, i => $"T{i} arg{i}"), where);
    }

    for (var n = 1; n <= MostReferences; n++)
    {
        Overload(
            "Writes PTX instructions into the kernel, with inputs, outputs and both in any order.", "EmitRef", n, List(n, i => $"ref T{i} arg{i}"),
            List(n, i => $"where T{i} : struct, ICudaAsmEmitParameter", " "));
    }

    return text.Append("}\n").ToString();

    void Overload(string summary, string name, int n, string parameters, string where) => text.Append($$"""
            /// <summary>{{summary}}</summary>
            public static void {{name}}<{{List(n, i => $"T{i}")}}>(string asm, {{parameters}}) {{where}} => throw KernelOnlyException.Here();

        """);
}

static void Write(string file, string text) => File.WriteAllText("src/DeltaKV.Gpu/" + file, $"""
    // <auto-generated>
    // Written by tools/generate-arities.cs; change that, not this.
    // </auto-generated>
    #nullable enable
    {text}
    """.TrimEnd() + "\n");

static string List(int n, Func<int, string> item, string separator = ", ") => string.Join(separator, Enumerable.Range(0, n).Select(item));
