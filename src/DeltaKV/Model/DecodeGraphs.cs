using System.Numerics;
using DeltaKV.Gpu;

namespace DeltaKV.Model;

/// <summary>Captured decode steps, one per batch bucket: a step of some hundred kernels becomes one launch.</summary>
internal sealed class DecodeGraphs(AcceleratorStream stream) : IDisposable
{
    private readonly Dictionary<int, AcceleratorGraph> graphs = [];

    /// <summary>The rows a batch is padded to: the next power of two up to 8, then the next multiple of 8.</summary>
    internal static int Bucket(int rows) => rows <= 8 ? (int)BitOperations.RoundUpToPowerOf2((uint)rows) : (rows + 7) / 8 * 8;

    /// <summary>Replays the graph of that many rows, if there is one.</summary>
    internal bool TryReplay(int rows)
    {
        if (!graphs.TryGetValue(rows, out var graph))
            return false;
        graph.Launch(stream);
        return true;
    }

    /// <summary>Runs the step as it is, so that all its kernels are loaded, then captures it for the next time.</summary>
    internal void RunAndCapture(int rows, Action step)
    {
        step();
        stream.BeginCapture();
        step();
        var graph = stream.EndCapture();
        graph.Instantiate();
        graphs.Add(rows, graph);
    }

    public void Dispose()
    {
        foreach (var graph in graphs.Values)
            graph.Dispose();
        graphs.Clear();
    }
}
