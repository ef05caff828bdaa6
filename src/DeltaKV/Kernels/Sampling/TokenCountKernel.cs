using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Sampling;

/// <summary>Counts the tokens of a sequence for penalties: which ones the prompt has, and how often the answer has each.</summary>
/// <remarks>Shapes: tokens <c>[count]</c>, counts <c>[vocabulary]</c>, see <see cref="SamplingKernel.InPrompt"/>. Runs when a sequence is admitted.</remarks>
internal sealed class TokenCountKernel(Accelerator accelerator)
{
    private const int GroupSize = 256;

    private readonly KernelHandle<Arguments> count = new(accelerator, Kernel);

    /// <summary>Adds tokens to the counts, of which the first <paramref name="promptTokens"/> are part of the prompt.</summary>
    internal void Launch(AcceleratorStream stream, ArrayView<int> tokens, ArrayView<int> counts, int promptTokens)
    {
        if (tokens.Length > 0)
            count.Launch(stream, new KernelConfig((tokens.IntLength + GroupSize - 1) / GroupSize, GroupSize), new Arguments(tokens, counts, promptTokens));
    }

    private static void Kernel(Arguments arguments)
    {
        GridDependency.LaunchDependents();
        GridDependency.Wait();
        var i = (Grid.IdxX * GroupSize) + Group.IdxX;
        if (i >= arguments.Tokens.IntLength)
            return;
        ref var count = ref arguments.Counts[arguments.Tokens[i]];
        if (i < arguments.PromptTokens)
            Atomic.Or(ref count, SamplingKernel.InPrompt);
        else
            Atomic.Add(ref count, 1);
    }

    private readonly struct Arguments(ArrayView<int> tokens, ArrayView<int> counts, int promptTokens)
    {
        public readonly ArrayView<int> Tokens = tokens;
        public readonly ArrayView<int> Counts = counts;
        public readonly int PromptTokens = promptTokens;
    }
}
