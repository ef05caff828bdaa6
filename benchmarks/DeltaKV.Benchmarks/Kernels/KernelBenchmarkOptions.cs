namespace DeltaKV.Benchmarks.Kernels;

/// <summary>What the kernel table is asked for.</summary>
/// <param name="Only">Prefixes of the rows to measure; empty for all.</param>
/// <param name="Twins">The JSON lines of the CUDA C++ twins, timed in the same run.</param>
/// <param name="Peers">What the peers printed, timed in the same run.</param>
/// <param name="Output">Where the tables are written.</param>
/// <param name="Dump">Where the PTX of the kernels is written.</param>
internal sealed record KernelBenchmarkOptions(string[] Only, string? Twins, string? Peers, string? Output, string? Dump)
{
    internal static KernelBenchmarkOptions Parse(string[] arguments)
    {
        var options = new KernelBenchmarkOptions([], null, null, null, null);
        for (var i = 0; i + 1 < arguments.Length; i += 2)
        {
            options = arguments[i] switch
            {
                "--only" => options with { Only = arguments[i + 1].Split(',') },
                "--twins" => options with { Twins = arguments[i + 1] },
                "--peers" => options with { Peers = arguments[i + 1] },
                "--out" => options with { Output = arguments[i + 1] },
                "--dump" => options with { Dump = arguments[i + 1] },
                _ => throw new ArgumentException($"Unknown option {arguments[i]}.", nameof(arguments)),
            };
        }

        return options;
    }

    internal bool Wants(string name) => Only.Length == 0
        ? !name.StartsWith(VariantCases.Prefix, StringComparison.Ordinal)
        : Only.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));
}
