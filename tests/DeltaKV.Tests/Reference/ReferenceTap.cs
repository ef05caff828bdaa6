namespace DeltaKV.Tests.Reference;

/// <summary>Sees, and may rewrite, what flows through a <see cref="ReferenceTransformer"/>. Heads are visited concurrently.</summary>
internal abstract class ReferenceTap
{
    /// <summary>Fresh pre-RoPE kv rows <c>[count, KvWidth]</c> of one layer, before anything attends to them.</summary>
    public virtual void KeyValues(int layer, int position, Span<float> rows)
    {
    }

    /// <summary>One query after RoPE (<c>[HeadDim]</c>) and its attention over positions 0..position.</summary>
    public virtual void Attention(int layer, int head, int position, ReadOnlySpan<float> query, ReadOnlySpan<float> probabilities)
    {
    }

    /// <summary>What the attention of all heads added up to, before W_O: <c>[count, Heads * HeadDim]</c>.</summary>
    public virtual void AttentionOutput(int layer, int position, ReadOnlySpan<float> rows)
    {
    }
}
