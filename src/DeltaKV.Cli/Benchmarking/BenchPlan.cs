using DeltaKV.Cli.Output;
using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Model;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>What is measured and how often.</summary>
/// <param name="Decodes">Decode steps.</param>
/// <param name="Prompts">Lengths of prompts.</param>
/// <param name="Chunk">Tokens of a prompt computed in one step.</param>
/// <param name="Samples">Decode steps a median is taken of.</param>
/// <param name="PrefillSamples">Prompts a median is taken of.</param>
internal sealed record BenchPlan(BenchSize[] Decodes, int[] Prompts, int Chunk, int Samples, int PrefillSamples)
{
    internal int MaxBatch => Decodes.Select(size => size.Batch).DefaultIfEmpty(1).Max();

    /// <summary>Refuses what cannot fit before anything is measured.</summary>
    /// <exception cref="InsufficientDeviceMemoryException">A size needs more than the device has.</exception>
    internal void CheckMemory(BenchSource source, Accelerator accelerator)
    {
        var config = source.Config;
        var weights = DeviceWeights<BFloat16>.Elements(config) * sizeof(ushort);
        foreach (var size in Decodes)
            Check($"decode {size}", size, DecodeGraphs.Bucket(size.Batch), DecodeGraphs.Bucket(size.Batch));
        foreach (var length in Prompts)
            Check($"prefill {length}", new BenchSize(1, length), Math.Min(Chunk, length), 1);

        void Check(string what, BenchSize size, int rows, int logitRows)
        {
            var cache = BenchCache.Bytes(source, size, Chunk);
            var workspace = Workspace<BFloat16>.Bytes(config, rows, logitRows);
            var needed = weights + cache + workspace;
            if (needed > accelerator.MemorySize)
            {
                throw new InsufficientDeviceMemoryException(
                    $"{what} needs {Units.Bytes(needed)} (weights {Units.Bytes(weights)}, keys and values {Units.Bytes(cache)}, workspace {Units.Bytes(workspace)}), but {accelerator.Name} has {Units.Bytes(accelerator.MemorySize)}. Ask for a smaller batch or context.",
                    needed, accelerator.MemorySize);
            }
        }
    }
}
