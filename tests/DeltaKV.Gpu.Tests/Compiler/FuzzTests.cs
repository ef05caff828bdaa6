using System.Globalization;

namespace DeltaKV.Gpu.Tests.Compiler;

/// <summary>Random functions on random arguments, .NET against the kernel. DELTAKV_FUZZ_SEED and DELTAKV_FUZZ_COUNT make longer runs.</summary>
public class FuzzTests
{
    private const int BatchSize = 100;
    private static readonly Lazy<Array[]> Pool = new(() => EdgeValues.For(RandomFunctions.Generate(0, 1)[0]));

    public static TheoryData<int> Batches()
    {
        var first = Setting("DELTAKV_FUZZ_SEED", 1);
        var data = new TheoryData<int>();
        for (var seed = first; seed < first + Setting("DELTAKV_FUZZ_COUNT", 2000); seed += BatchSize)
            data.Add(seed);
        return data;
    }

    [Theory]
    [MemberData(nameof(Batches))]
    public void Random_functions_give_what_dotnet_gives(int firstSeed)
    {
        var functions = RandomFunctions.Generate(firstSeed, BatchSize);
        var assembly = new ElementwiseAssembly(functions);
        for (var i = 0; i < functions.Length; i++)
        {
            var inputs = Arguments(firstSeed + i);
            var (expected, actual) = (new long[inputs[0].Length], new long[inputs[0].Length]);
            assembly.RunOnHost(i, [.. inputs, expected]);
            try
            {
                ElementwiseRunner.Run(TestAccelerators.Default, assembly.Kernel(i), [.. inputs, actual]);
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"Seed {firstSeed + i} does not run; DELTAKV_FUZZ_SEED={firstSeed + i} repeats it.", exception);
            }

            for (var j = 0; j < expected.Length; j++)
            {
                if (expected[j] != actual[j])
                    Assert.Fail($"Seed {firstSeed + i}, arguments {string.Join(", ", inputs.Select(input => input.GetValue(j)))}: .NET gives {expected[j]}, the kernel {actual[j]}.");
            }
        }
    }

    private static Array[] Arguments(int seed)
    {
        var all = Pool.Value;
        var random = new Random(seed);
        return Array.ConvertAll(all, values =>
        {
            var picked = Array.CreateInstance(values.GetType().GetElementType()!, 64);
            for (var i = 0; i < picked.Length; i++)
                picked.SetValue(values.GetValue(random.Next(values.Length)), i);
            return picked;
        });
    }

    private static int Setting(string name, int fallback) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : fallback;
}
