using System.Reflection;
using System.Text;
using DeltaKV.Gpu.Compiler;
using DeltaKV.Gpu.Tests.Kernels;

namespace DeltaKV.Gpu.Tests.Compiler;

/// <summary>NVIDIA's assembler takes the PTX of every test function and of random ones, for every target. Runs where <c>ptxas</c> is on the path.</summary>
public class PtxasTests
{
    private static readonly Type[] Functions =
    [
        typeof(Int32Functions), typeof(UInt32Functions), typeof(Int64Functions), typeof(UInt64Functions), typeof(SmallFunctions), typeof(SingleFunctions),
        typeof(DoubleFunctions), typeof(HalfFunctions), typeof(RuntimeFunctions), typeof(ControlFlowFunctions), typeof(StructFunctions),
        typeof(SingleTranscendentals), typeof(DoubleTranscendentals),
    ];

    [PtxasTheory]
    [InlineData("sm_80")]
    [InlineData("sm_90a")]
    [InlineData("sm_100")]
    public void Accepts_every_function(string target)
    {
        if (!PtxasTheoryAttribute.Knows(target))
            return;
        var methods = Functions
            .SelectMany(static type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly))
            .Where(static method => !method.IsGenericMethod)
            .ToArray();
        Assemble(target, methods);
    }

    [PtxasTheory]
    [InlineData("sm_80")]
    [InlineData("sm_90a")]
    [InlineData("sm_100")]
    public void Accepts_random_functions(string target)
    {
        if (PtxasTheoryAttribute.Knows(target))
            Assemble(target, RandomFunctions.Generate(EdgeValues.Seed, 200));
    }

    /// <summary>All kernels in one module: the header of the first, the entries of all.</summary>
    private static void Assemble(string target, MethodInfo[] methods)
    {
        var assembly = new ElementwiseAssembly(methods);
        var module = new StringBuilder();
        for (var i = 0; i < methods.Length; i++)
        {
            var ptx = KernelCompiler.Compile(assembly.Kernel(i).Method, new CompileOptions { Target = target, ImplicitlyGrouped = true, LineInfo = false }).Ptx;
            var entry = ptx.IndexOf(".visible .entry", StringComparison.Ordinal);
            module.Append(i == 0 ? ptx : ptx[entry..]);
        }

        var file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.ptx");
        File.WriteAllText(file, module.ToString());
        try
        {
            var (code, output) = PtxasTheoryAttribute.Run($"-arch={target} -o {Path.ChangeExtension(file, ".cubin")} {file}");
            Assert.True(code == 0, output);
        }
        finally
        {
            File.Delete(file);
            File.Delete(Path.ChangeExtension(file, ".cubin"));
        }
    }
}
