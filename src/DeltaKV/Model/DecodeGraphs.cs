using DeltaKV.Gpu;

namespace DeltaKV.Model;

/// <summary>Captured decode steps, one per batch bucket and variant of the cache: a step of some hundred kernels becomes one launch.</summary>
internal sealed class DecodeGraphs(AcceleratorStream stream) : IDisposable
{
    private readonly Dictionary<(int Rows, int Variant), AcceleratorGraph> graphs = [];

    /// <summary>The rows a batch is padded to: none up to 8, for attention shares the device among all rows of a graph and those that pad use none of theirs; then the next multiple of 8.</summary>
    internal static int Bucket(int rows) => rows <= 8 ? rows : (rows + 7) / 8 * 8;

    /// <summary>Replays the graph of that many rows and that variant, if there is one.</summary>
    internal bool TryReplay(int rows, int variant)
    {
        if (!graphs.TryGetValue((rows, variant), out var graph))
            return false;
        graph.Launch(stream);
        return true;
    }

    /// <summary>Runs the step as it is, so that all its kernels are loaded, then captures it for the next time.</summary>
    internal void RunAndCapture(int rows, int variant, Action step)
    {
        step();
        stream.BeginCapture();
        step();
        var graph = stream.EndCapture();
        graph.Instantiate();
        graphs.Add((rows, variant), graph);
    }

    public void Dispose()
    {
        foreach (var graph in graphs.Values)
            graph.Dispose();
        graphs.Clear();
    }
}
