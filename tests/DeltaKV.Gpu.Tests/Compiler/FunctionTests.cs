extern alias DebugKernels;

using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using DeltaKV.Gpu.Tests.Kernels;

namespace DeltaKV.Gpu.Tests.Compiler;

/// <summary>Every operator, conversion, control-flow shape and member, compiled from Release and from Debug IL, against .NET itself.</summary>
public class FunctionTests
{
    private static readonly string[] Exact =
    [
        nameof(Int32Functions), nameof(UInt32Functions), nameof(Int64Functions), nameof(UInt64Functions), nameof(SmallFunctions),
        nameof(SingleFunctions), nameof(DoubleFunctions), nameof(ControlFlowFunctions), nameof(StructFunctions), nameof(HalfFunctions), nameof(RuntimeFunctions),
    ];

    private static readonly string[] Close = [nameof(SingleTranscendentals), nameof(DoubleTranscendentals)];
    private static readonly ConcurrentDictionary<(bool, string), (MethodInfo[] Functions, ElementwiseAssembly Assembly)> Assemblies = new();

    public static IEnumerable<object?[]> ExactFunctions() => Rows(Exact);

    public static IEnumerable<object?[]> CloseFunctions() => Rows(Close);

    [Theory]
    [MemberData(nameof(ExactFunctions))]
    public void Computes_what_dotnet_computes(bool debug, string type, string function) => Compare(debug, type, function, tolerance: 0);

    [Theory]
    [MemberData(nameof(CloseFunctions))]
    public void Comes_close_to_dotnet(bool debug, string type, string function)
    {
        // Single results are rounded from double ones, so a unit in the last place is the limit; the doubles' own bounds are documented.
        var isPower = function == "Pow" || function == "Cbrt";
        Compare(debug, type, function, tolerance: type == nameof(SingleTranscendentals) ? 1.3e-7 : isPower ? 2e-14 : 2e-15);
    }

    private static IEnumerable<object?[]> Rows(string[] types)
    {
        foreach (var debug in (bool[])[false, true])
        {
            foreach (var type in types)
            {
                foreach (var function in Functions(debug, type))
                    yield return [debug, type, function.Name];
            }
        }
    }

    private static MethodInfo[] Functions(bool debug, string type)
    {
        var assembly = debug ? typeof(DebugKernels::DeltaKV.Gpu.Tests.Kernels.Int32Functions).Assembly : typeof(Int32Functions).Assembly;
        return [.. assembly.GetType($"DeltaKV.Gpu.Tests.Kernels.{type}")!
            .GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly)
            .Where(static method => !method.IsGenericMethod)];
    }

    private static void Compare(bool debug, string type, string function, double tolerance)
    {
        var (functions, assembly) = Assemblies.GetOrAdd((debug, type), static key =>
        {
            var found = Functions(key.Item1, key.Item2);
            return (found, new ElementwiseAssembly(found));
        });
        var index = Array.FindIndex(functions, candidate => candidate.Name == function);
        var inputs = EdgeValues.For(functions[index]);
        var expected = Array.CreateInstance(functions[index].ReturnType, inputs[0].Length);
        var actual = Array.CreateInstance(functions[index].ReturnType, inputs[0].Length);
        assembly.RunOnHost(index, [.. inputs, expected]);
        ElementwiseRunner.Run(TestAccelerators.Default, assembly.Kernel(index), [.. inputs, actual]);
        for (var i = 0; i < expected.Length; i++)
        {
            var (want, got) = (expected.GetValue(i)!, actual.GetValue(i)!);
            if (tolerance > 0 && function is "Sin" or "Cos" or "Tan" && IsBeyondPi(inputs[0].GetValue(i)!))
                want = type == nameof(SingleTranscendentals) ? (object)float.NaN : double.NaN;
            if (!AreEqual(want, got, tolerance))
            {
                var arguments = string.Join(", ", inputs.Select(input => string.Create(CultureInfo.InvariantCulture, $"{input.GetValue(i)}")));
                Assert.Fail($"{type}.{function}({arguments}) [seed {EdgeValues.Seed}]: .NET gives {want}, the kernel {got}.");
            }
        }
    }

    /// <summary>Where kernels give NaN because they have too few bits of pi; see DoubleMath.</summary>
    private static bool IsBeyondPi(object argument) => Math.Abs(Convert.ToDouble(argument, CultureInfo.InvariantCulture)) > 1 << 30;

    private static bool AreEqual(object want, object got, double tolerance) => (want, got) switch
    {
        (float a, float b) when tolerance == 0 => float.IsNaN(a) ? float.IsNaN(b) : BitConverter.SingleToInt32Bits(a) == BitConverter.SingleToInt32Bits(b),
        (double a, double b) when tolerance == 0 => double.IsNaN(a) ? double.IsNaN(b) : BitConverter.DoubleToInt64Bits(a) == BitConverter.DoubleToInt64Bits(b),
        (float a, float b) => IsClose(a, b, tolerance, 1e-44),
        (double a, double b) => IsClose(a, b, tolerance, 1e-320),
        (ValueType, ValueType) when !want.GetType().IsPrimitive && !want.GetType().IsEnum => FieldsEqual(want, got),
        _ => want.Equals(got),
    };

    private static bool IsClose(double a, double b, double tolerance, double absolute) =>
        double.IsNaN(a) ? double.IsNaN(b) : a == b || (double.IsFinite(a) && Math.Abs(a - b) <= (Math.Abs(a) * tolerance) + absolute);

    private static bool FieldsEqual(object want, object got)
    {
        foreach (var field in want.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            if (!AreEqual(field.GetValue(want)!, field.GetValue(got)!, 0))
                return false;
        }

        return true;
    }
}
