using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace DeltaKV.Benchmarks.Kernels;

/// <summary>Times that other programs took in the same run, by the name of our row.</summary>
internal static partial class Measurements
{
    /// <summary>The JSON lines of benchmarks/cuda/twins.cu.</summary>
    internal static Dictionary<string, double> OfTwins(string? file)
    {
        var times = new Dictionary<string, double>(StringComparer.Ordinal);
        if (file is null)
            return times;
        foreach (var line in File.ReadLines(file).Where(line => line.StartsWith('{')))
        {
            using var row = JsonDocument.Parse(line);
            times[row.RootElement.GetProperty("name").GetString()!] = row.RootElement.GetProperty("us").GetDouble();
        }

        return times;
    }

    /// <summary>What kernels_torch.py prints: the best time where several backends ran.</summary>
    internal static Dictionary<string, double> OfPeers(string? file)
    {
        var times = new Dictionary<string, double>(StringComparer.Ordinal);
        if (file is null)
            return times;
        foreach (var line in File.ReadLines(file))
        {
            if (Gemm().Match(line) is { Success: true } gemm)
            {
                var (m, k, n) = (gemm.Groups[1].Value, gemm.Groups[2].Value, gemm.Groups[3].Value);
                var name = m switch { "1" => $"gemv {k}->{n}", "8" or "32" => $"skinny m{m} {k}->{n}", _ => $"gemm m{m} {k}->{n}" };
                Keep(name, Number(gemm.Groups[4].Value));
            }
            else if (Decode().Match(line) is { Success: true } decode)
            {
                var context = int.Parse(decode.Groups[2].Value, CultureInfo.InvariantCulture) / 1024;
                Keep($"decode b{decode.Groups[1].Value} {context}k", Number(decode.Groups[3].Value));
            }
            else if (Prefill().Match(line) is { Success: true } prefill)
            {
                var context = int.Parse(prefill.Groups[1].Value, CultureInfo.InvariantCulture) / 1024;
                Keep($"prefill {context}k", Number(prefill.Groups[2].Value) * 1000);
            }
        }

        return times;

        void Keep(string name, double microseconds) =>
            times[name] = times.TryGetValue(name, out var best) ? Math.Min(best, microseconds) : microseconds;
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^gemm m=(\d+) k=(\d+) n=(\d+) ([\d.]+)us")]
    private static partial Regex Gemm();

    [GeneratedRegex(@"^decode attn .* b=(\d+) ctx=(\d+) ([\d.]+)us")]
    private static partial Regex Decode();

    [GeneratedRegex(@"^prefill attn .* n=(\d+) ([\d.]+)ms")]
    private static partial Regex Prefill();
}
