using System.Reflection;
using DeltaKV.Gpu.Compiler;

namespace DeltaKV.Gpu.Tests.Compiler;

/// <summary>What a kernel cannot do is refused with the reason, the method, the IL offset, and the line.</summary>
public class RefusalTests
{
    [Theory]
    [InlineData(nameof(RefusedKernels.NewArray), "do not allocate")]
    [InlineData(nameof(RefusedKernels.ManagedArray), "Int32[]")]
    [InlineData(nameof(RefusedKernels.NewObject), "no objects")]
    [InlineData(nameof(RefusedKernels.Box), "boxed")]
    [InlineData(nameof(RefusedKernels.Throw), "InvalidOperationException")]
    [InlineData(nameof(RefusedKernels.Try), "try block")]
    [InlineData(nameof(RefusedKernels.String), "String")]
    [InlineData(nameof(RefusedKernels.Checked), "checked arithmetic")]
    [InlineData(nameof(RefusedKernels.CheckedConversion), "checked arithmetic")]
    [InlineData(nameof(RefusedKernels.MutableStatic), "can change")]
    [InlineData(nameof(RefusedKernels.WrittenStatic), "is written")]
    [InlineData(nameof(RefusedKernels.Capturing), "DisplayClass")]
    [InlineData(nameof(RefusedKernels.StackAlloc), "stackalloc")]
    [InlineData(nameof(RefusedKernels.Recursive), "calls itself")]
    [InlineData(nameof(RefusedKernels.Virtual), "")]
    [InlineData(nameof(RefusedKernels.UnrollUnknown), "not a compile-time constant")]
    [InlineData(nameof(RefusedKernels.UnrollOutside), "outside a loop")]
    [InlineData(nameof(RefusedKernels.UnrollForever), "more than 4096")]
    [InlineData(nameof(RefusedKernels.RegisterArray), "indexed by something that is not a compile-time constant")]
    [InlineData(nameof(RefusedKernels.RegisterArrayOutside), "outside the register array")]
    [InlineData(nameof(RefusedKernels.TwoRegisterArrays), "not the same one on all paths")]
    [InlineData(nameof(RefusedKernels.TwoSpaces), "Global memory")]
    [InlineData(nameof(RefusedKernels.SharedLength), "compile-time constant")]
    [InlineData(nameof(RefusedKernels.GlobalLdMatrix), "must be shared memory")]
    [InlineData(nameof(RefusedKernels.UnknownImmediate), "must be a compile-time constant")]
    [InlineData(nameof(RefusedKernels.AtomicOnLocal), "needs an address in memory")]
    [InlineData(nameof(RefusedKernels.TupleInMemory), "automatic layout")]
    public void Names_the_reason_and_the_place(string kernel, string reason)
    {
        var exception = Assert.Throws<KernelCompileException>(() => Compile(kernel));

        Assert.Contains(reason, exception.Reason, StringComparison.Ordinal);
        Assert.NotNull(exception.Method);
        Assert.True(exception.ILOffset >= 0);
        Assert.Contains($"IL_{exception.ILOffset:x4}", exception.Message, StringComparison.Ordinal);
        Assert.Contains(kernel, exception.Message, StringComparison.Ordinal);
        Assert.True(exception.Line > 0, exception.Message);
    }

    [Theory]
    [InlineData(nameof(RefusedKernels.NewArray))]
    [InlineData(nameof(RefusedKernels.ManagedArray))]
    [InlineData(nameof(RefusedKernels.NewObject))]
    [InlineData(nameof(RefusedKernels.Box))]
    [InlineData(nameof(RefusedKernels.Throw))]
    [InlineData(nameof(RefusedKernels.Try))]
    [InlineData(nameof(RefusedKernels.Checked))]
    [InlineData(nameof(RefusedKernels.MutableStatic))]
    [InlineData(nameof(RefusedKernels.WrittenStatic))]
    [InlineData(nameof(RefusedKernels.StackAlloc))]
    [InlineData(nameof(RefusedKernels.Recursive))]
    [InlineData(nameof(RefusedKernels.UnrollUnknown))]
    [InlineData(nameof(RefusedKernels.UnrollOutside))]
    [InlineData(nameof(RefusedKernels.RegisterArray))]
    [InlineData(nameof(RefusedKernels.RegisterArrayOutside))]
    [InlineData(nameof(RefusedKernels.SharedLength))]
    [InlineData(nameof(RefusedKernels.AtomicOnLocal))]
    [InlineData(nameof(RefusedKernels.TupleInMemory))]
    public void Names_the_very_line(string kernel)
    {
        var exception = Assert.Throws<KernelCompileException>(() => Compile(kernel));

        Assert.EndsWith("RefusedKernels.cs", exception.File, StringComparison.Ordinal);
        Assert.EndsWith("// here", File.ReadLines(SourceTree.Locate(exception.File!)).ElementAt(exception.Line - 1), StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_parameters_that_are_no_values()
    {
        Assert.Contains("a reference", Assert.Throws<KernelCompileException>(() => CompileLocal(TakesReference)).Message, StringComparison.Ordinal);
        Assert.Contains("String", Assert.Throws<KernelCompileException>(() => CompileLocal(TakesString)).Message, StringComparison.Ordinal);
        Assert.Contains("returns Int32", Assert.Throws<KernelCompileException>(() => CompileLocal(Returns)).Message, StringComparison.Ordinal);

        static void TakesReference(ref int x) => x = 1;
        static void TakesString(string x) => _ = x;
        static int Returns(ArrayView<int> x) => x.IntLength;
    }

    [Fact]
    public void Refuses_targets_it_does_not_know()
    {
        var method = typeof(RefusalTests).GetMethod(nameof(Empty), BindingFlags.Static | BindingFlags.NonPublic)!;
        Assert.Contains("sm_70", Assert.Throws<ArgumentException>(() => KernelCompiler.Compile(method, new CompileOptions { Target = "sm_70" })).Message, StringComparison.Ordinal);
    }

    private static void Empty(ArrayView<int> x) => x[0] = 0;

    private static void Compile(string kernel) => KernelCompiler.Compile(typeof(RefusedKernels).GetMethod(kernel)!, new CompileOptions());

    private static void CompileLocal(Delegate kernel) => KernelCompiler.Compile(kernel.Method, new CompileOptions());
}
