using System.Reflection;
using BenchmarkDotNet.Attributes;
using DeltaKV.Gpu;
using DeltaKV.Gpu.Compiler;

namespace DeltaKV.Benchmarks.Host;

/// <summary>From a C# method to PTX, before the driver.</summary>
public class CompileBenchmark
{
    private static readonly MethodInfo SmallKernel = typeof(CompileBenchmark).GetMethod(nameof(Small), BindingFlags.NonPublic | BindingFlags.Static)!;

    [Benchmark]
    public int CompileSmallKernel() => KernelCompiler.Compile(SmallKernel, new CompileOptions { Target = "sm_90a" }).Ptx.Length;

    private static void Small(ArrayView<float> x, ArrayView<float> y, float a)
    {
        var i = Grid.GlobalIndex.X;
        if (i < x.Length)
            y[i] = (a * x[i]) + y[i];
    }
}
