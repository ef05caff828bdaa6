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
/// <param name="Profile">Whether the parts of a step are measured too.</param>
internal sealed record BenchPlan(BenchSize[] Decodes, int[] Prompts, int Chunk, int Samples, int PrefillSamples, bool Profile = false)
{
    /// <summary>Memory that buffers besides weights, cache and activations may take, as a share of the device.</summary>
    private const double Spare = 0.03;

    internal int MaxBatch => Decodes.Select(size => size.Batch).DefaultIfEmpty(1).Max();

    /// <summary>The plan with numbers where the largest batch was asked for.</summary>
    internal BenchPlan WithLargestBatches(BenchSource source, Accelerator accelerator)
    {
        return this with { Decodes = Array.ConvertAll(Decodes, size => size.Batch == BenchSize.Largest ? new BenchSize(Largest(size.Context), size.Context) : size) };

        int Largest(int context)
        {
            var available = (long)((1 - Spare) * accelerator.MemorySize);
            var (fits, tooMany) = (1, 2);
            while (Fits(tooMany))
                (fits, tooMany) = (tooMany, 2 * tooMany);
            while (tooMany - fits > 1)
            {
                var middle = (fits + tooMany) / 2;
                (fits, tooMany) = Fits(middle) ? (middle, tooMany) : (fits, middle);
            }

            return fits;

            bool Fits(int batch) => Need.OfDecode(source, new BenchSize(batch, context), Chunk).Total <= available;
        }
    }

    /// <summary>Refuses what cannot fit before anything is measured.</summary>
    /// <exception cref="InsufficientDeviceMemoryException">A size needs more than the device has.</exception>
    internal void CheckMemory(BenchSource source, Accelerator accelerator)
    {
        foreach (var size in Decodes)
            Check($"decode {size}", Need.OfDecode(source, size, Chunk));
        foreach (var length in Prompts)
            Check($"prefill {length}", Need.Of(source, new BenchSize(1, length), Chunk, Math.Min(Chunk, length), 1));

        void Check(string what, Need need)
        {
            if (need.Total > accelerator.MemorySize)
            {
                throw new InsufficientDeviceMemoryException(
                    $"{what} needs {Units.Bytes(need.Total)} (weights {Units.Bytes(need.Weights)}, keys and values {Units.Bytes(need.Cache)}, workspace {Units.Bytes(need.Workspace)}), but {accelerator.Name} has {Units.Bytes(accelerator.MemorySize)}. Ask for a smaller batch or context.",
                    need.Total, accelerator.MemorySize);
            }
        }
    }

    /// <summary>What a size takes.</summary>
    private readonly record struct Need(long Weights, long Cache, long Workspace)
    {
        internal long Total => Weights + Cache + Workspace;

        internal static Need OfDecode(BenchSource source, BenchSize size, int chunk) =>
            Of(source, size, chunk, DecodeGraphs.Bucket(size.Batch), DecodeGraphs.Bucket(size.Batch));

        internal static Need Of(BenchSource source, BenchSize size, int chunk, int rows, int logitRows) => new(
            DeviceWeights<BFloat16>.Elements(source.Config) * sizeof(ushort),
            BenchCache.Bytes(source, size, chunk),
            DeltaKV.Model.Workspace<BFloat16>.Bytes(source.Config, rows, logitRows));
    }
}
