using DeltaKV.Cache;

namespace DeltaKV.Benchmarks.Engine;

/// <summary>Blocks without memory behind them: what is measured is the bookkeeping.</summary>
internal sealed class NoBlockStore : IKvBlockStore
{
    public void CopyBlock(int source, int destination)
    {
        // Nothing is stored.
    }
}
