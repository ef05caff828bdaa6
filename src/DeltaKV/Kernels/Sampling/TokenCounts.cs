using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Sampling;

/// <summary>
/// How often every token occurs in the answers of sequences with penalties, and whether it occurs in their prompts: an int per token, occurrences in
/// the answer in the low bits, <see cref="InPrompt"/> above them. The sampling kernel counts what it chooses.
/// </summary>
internal sealed class TokenCounts : IDisposable
{
    /// <summary>The bit of tokens of the prompt.</summary>
    internal const int InPrompt = 1 << 30;

    private const int GroupSize = 256;

    private readonly int vocabulary;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> counts;
    private readonly KernelHandle<Arguments> count;

    /// <summary>Room for <paramref name="sequences"/> sequences.</summary>
    internal TokenCounts(Accelerator accelerator, int sequences, int vocabulary)
    {
        this.vocabulary = vocabulary;
        counts = accelerator.Allocate1D<int>((long)sequences * vocabulary);
        count = new(accelerator, Kernel);
    }

    /// <summary>The counts <c>[sequences, vocabulary]</c>.</summary>
    internal ArrayView<int> View => counts.View;

    /// <summary>Starts a sequence over: counts the first <paramref name="promptTokens"/> of its tokens as prompt, the others as answer.</summary>
    internal void Reset(AcceleratorStream stream, int sequence, ArrayView<int> tokens, int tokenCount, int promptTokens)
    {
        var row = counts.View.BaseView.SubView((long)sequence * vocabulary, vocabulary);
        row.MemSetToZero(stream);
        if (tokenCount > 0)
            count.Launch(stream, new KernelConfig((tokenCount + GroupSize - 1) / GroupSize, GroupSize), new Arguments(row, tokens, tokenCount, promptTokens));
    }

    /// <inheritdoc/>
    public void Dispose() => counts.Dispose();

    private static void Kernel(Arguments arguments)
    {
        var i = Grid.GlobalIndex.X;
        if (i >= arguments.TokenCount)
            return;
        ref var target = ref arguments.Row[arguments.Tokens[i]];
        if (i < arguments.PromptTokens)
            Atomic.Or(ref target, InPrompt);
        else
            Atomic.Add(ref target, 1);
    }

    private readonly struct Arguments(ArrayView<int> row, ArrayView<int> tokens, int tokenCount, int promptTokens)
    {
        public readonly ArrayView<int> Row = row;
        public readonly ArrayView<int> Tokens = tokens;
        public readonly int TokenCount = tokenCount;
        public readonly int PromptTokens = promptTokens;
    }
}
