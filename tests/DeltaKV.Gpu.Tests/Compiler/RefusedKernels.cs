using System.Diagnostics.CodeAnalysis;

namespace DeltaKV.Gpu.Tests.Compiler;

/// <summary>Kernels that must not compile. The line at fault ends with the comment <c>// here</c>.</summary>
[SuppressMessage("Performance", "CA1806", Justification = "Only the compiler reads these.")]
[SuppressMessage("Performance", "CA1823", Justification = "Only the compiler reads these.")]
[SuppressMessage("Maintainability", "CA1508", Justification = "Only the compiler reads these.")]
internal static class RefusedKernels
{
    private static readonly int[] Table = [1, 2, 3];
    private static int counter;

    public static void NewArray(ArrayView<int> x)
    {
        var array = new int[4]; // here
        x[0] = array[1];
    }

    public static void ManagedArray(ArrayView<int> x)
    {
        x[0] = Table[2]; // here
    }

    public static void NewObject(ArrayView<int> x)
    {
        var thing = new List<int>(); // here
        x[0] = thing.Count;
    }

    public static void Box(ArrayView<int> x)
    {
        x[0] = ((object)x[0]).GetHashCode(); // here
    }

    public static void Throw(ArrayView<int> x)
    {
        if (x[0] < 0)
            throw new InvalidOperationException(); // here
    }

    public static void Try(ArrayView<int> x)
    {
        x[0] = Guarded(x[1]); // here
    }

    public static void String(ArrayView<int> x)
    {
        x[0] = "text".Length; // here
    }

    public static void Checked(ArrayView<int> x)
    {
        x[0] = checked(x[1] + x[2]); // here
    }

    public static void CheckedConversion(ArrayView<int> x)
    {
        x[0] = checked((byte)x[1]); // here
    }

    public static void MutableStatic(ArrayView<int> x)
    {
        x[0] = counter; // here
    }

    public static void WrittenStatic(ArrayView<int> x)
    {
        counter = x[0]; // here
    }

    public static void Capturing(ArrayView<int> x)
    {
        var factor = x[0];
        Func<int, int> scale = value => value * factor; // here
        x[1] = scale(2);
    }

    public static void StackAlloc(ArrayView<int> x)
    {
        Span<int> numbers = stackalloc int[4]; // here
        x[0] = numbers[0];
    }

    public static void Recursive(ArrayView<int> x)
    {
        x[0] = Factorial(x[1]);
    }

    public static void Virtual(ArrayView<int> x)
    {
        x[0] = Environment.ProcessorCount + x.ToString().Length; // here
    }

    public static void UnrollUnknown(ArrayView<int> x, int n)
    {
        for (var i = 0; i < Unroll.Full(n); i++) // here
            x[i] = i;
    }

    public static void UnrollOutside(ArrayView<int> x)
    {
        x[0] = Unroll.Full(3); // here
    }

    public static void UnrollForever(ArrayView<int> x)
    {
        for (var i = 0; i < Unroll.Full(100_000); i++)
            x[i] = i;
    }

    public static void RegisterArray(ArrayView<int> x, int n)
    {
        var array = LocalMemory.Allocate<int>(4);
        array[0] = 1;
        x[0] = array[n]; // here
    }

    public static void RegisterArrayOutside(ArrayView<int> x)
    {
        var array = LocalMemory.Allocate<int>(4);
        array[4] = 1; // here
        x[0] = array[0];
    }

    public static void TwoRegisterArrays(ArrayView<int> x, int n)
    {
        var first = LocalMemory.Allocate<int>(4);
        var second = LocalMemory.Allocate<int>(4);
        var either = n > 0 ? first : second;
        either[0] = n;
        x[0] = first[0];
    }

    public static void TwoSpaces(ArrayView<int> x, int n)
    {
        var shared = SharedMemory.Allocate<int>(4);
        var either = n > 0 ? shared : x;
        x[0] = either[0];
    }

    public static void SharedLength(ArrayView<int> x, int n)
    {
        var shared = SharedMemory.Allocate<int>(n); // here
        x[0] = shared[0];
    }

    public static void GlobalLdMatrix(ArrayView<UInt4> x)
    {
        x[0] = LdMatrix.X4(ref x[1]);
    }

    public static void UnknownImmediate(ArrayView<int> x)
    {
        CpAsync.Wait(x[0]);
    }

    public static void AtomicOnLocal(ArrayView<int> x)
    {
        var local = x[0];
        Atomic.Add(ref local, 1); // here
        x[1] = local;
    }

    public static void TupleInMemory(ArrayView<(int, byte)> x)
    {
        x[0] = (1, 2); // here
    }

    private static int Guarded(int x)
    {
        try
        {
            return x / (x - 1);
        }
        catch (DivideByZeroException)
        {
            return 0;
        }
    }

    private static int Factorial(int x) => x < 2 ? 1 : x * Factorial(x - 1); // here
}
