using System.Numerics;
using DeltaKV.Gpu;

namespace DeltaKV.Model;

/// <summary>Captured decode steps, one per batch bucket: a step of some hundred kernels becomes one launch.</summary>
internal sealed class DecodeGraphs(AcceleratorStream stream) : IDisposable
{
    private readonly Dictionary<int, (AcceleratorGraph Graph, ArrayView<float> Logits)> graphs = [];

    /// <summary>The rows a batch is padded to: the next power of two up to 8, then the next multiple of 8.</summary>
    internal static int Bucket(int rows) => rows <= 8 ? (int)BitOperations.RoundUpToPowerOf2((uint)rows) : (rows + 7) / 8 * 8;

    /// <summary>Replays the graph of that many rows, if there is one.</summary>
    internal bool TryReplay(int rows, out ArrayView<float> logits)
    {
        var found = graphs.TryGetValue(rows, out var known);
        logits = known.Logits;
        if (found)
            known.Graph.Launch(stream);
        return found;
    }

    /// <summary>Runs the step as it is, so that all its kernels are loaded, then captures it for the next time.</summary>
    internal ArrayView<float> RunAndCapture(int rows, Func<ArrayView<float>> forward)
    {
        var logits = forward();
        stream.BeginCapture();
        forward();
        var graph = stream.EndCapture();
        graph.Instantiate();
        graphs.Add(rows, (graph, logits));
        return logits;
    }

    public void Dispose()
    {
        foreach (var (graph, _) in graphs.Values)
            graph.Dispose();
        graphs.Clear();
    }
}
