using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Sampling;

namespace DeltaKV.Model;

/// <summary>What sampling keeps on the device per running sequence: token counts for penalties, and logit biases.</summary>
/// <remarks>Indexed by <see cref="Sequence.Slot"/>. A newcomer's tokens are counted in chunks when it is admitted; from then on the sampling kernel counts.</remarks>
internal sealed class SamplingSlots : IDisposable
{
    private const int ChunkTokens = 8192;

    private readonly int vocabulary;
    private readonly TokenCountKernel counter;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> counts;
    private readonly MemoryBuffer1D<TokenBias, Stride1D.Dense> biases;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> chunk;
    private readonly PageLockedArray1D<int> stagedTokens;
    private readonly PageLockedArray1D<TokenBias> stagedBiases;
    private readonly Tenant[] tenants;

    internal SamplingSlots(Accelerator accelerator, int vocabulary, int slotCount)
    {
        this.vocabulary = vocabulary;
        counter = new TokenCountKernel(accelerator);
        counts = accelerator.Allocate1D<int>((long)slotCount * vocabulary);
        biases = accelerator.Allocate1D<TokenBias>((long)slotCount * SamplingKernel.MaxBiases);
        chunk = accelerator.Allocate1D<int>(ChunkTokens);
        stagedTokens = accelerator.AllocatePageLocked1D<int>(ChunkTokens);
        stagedBiases = accelerator.AllocatePageLocked1D<TokenBias>(SamplingKernel.MaxBiases);
        tenants = new Tenant[slotCount];
        Forget();
    }

    /// <summary>Which admission of which sequence a slot's data is of, and how many of its tokens are counted.</summary>
    private record struct Tenant(long Arrival, int Admission, int Counted);

    /// <summary><c>[slots, vocabulary]</c></summary>
    internal ArrayView<int> Counts => counts.View;

    /// <summary><c>[slots, MaxBiases]</c></summary>
    internal ArrayView<TokenBias> Biases => biases.View;

    internal static unsafe long Bytes(int vocabulary, int slotCount) =>
        (slotCount * (((long)vocabulary * sizeof(int)) + ((long)SamplingKernel.MaxBiases * sizeof(TokenBias)))) + (ChunkTokens * sizeof(int));

    /// <summary>Makes the tables hold what a row of this sequence needs, and tells the row.</summary>
    internal void Prepare(AcceleratorStream stream, Sequence sequence, ref SamplingRow row)
    {
        row.Slot = sequence.Slot;
        ref var tenant = ref tenants[sequence.Slot];
        if (tenant.Arrival != sequence.Arrival || tenant.Admission != sequence.Admissions)
        {
            tenant = new Tenant(sequence.Arrival, sequence.Admissions, 0);
            UploadBiases(stream, sequence);
        }

        if (row.Penalizes == 0)
            return;
        var missing = sequence.Tokens.Length - tenant.Counted;
        if (tenant.Counted > 0 && missing == 1)
            row.NewToken = sequence.Tokens[^1];
        else if (missing > 0)
            CountTokens(stream, sequence, tenant.Counted);
        tenant.Counted = sequence.Tokens.Length;
    }

    /// <summary>Trusts nothing of what is on the device.</summary>
    internal void Forget() => Array.Fill(tenants, new Tenant(-1, -1, 0));

    public void Dispose()
    {
        counts.Dispose();
        biases.Dispose();
        chunk.Dispose();
        stagedTokens.Dispose();
        stagedBiases.Dispose();
    }

    private void CountTokens(AcceleratorStream stream, Sequence sequence, int counted)
    {
        var target = Counts.SubView((long)sequence.Slot * vocabulary, vocabulary);
        if (counted == 0)
            target.MemSetToZero(stream);
        while (counted < sequence.Tokens.Length)
        {
            var tokens = sequence.Tokens[counted..];
            tokens = tokens[..Math.Min(tokens.Length, ChunkTokens)];
            tokens.CopyTo(stagedTokens.Span);
            chunk.View.BaseView.CopyFromPageLockedAsync(stream, stagedTokens, tokens.Length);
            counter.Launch(stream, chunk.View.BaseView.SubView(0, tokens.Length), target, sequence.PromptLength - counted);
            counted += tokens.Length;
            // The staging memory is about to be written again.
            stream.Synchronize();
        }
    }

    private void UploadBiases(AcceleratorStream stream, Sequence sequence)
    {
        if (sequence.Options.LogitBias.IsEmpty)
            return;
        var count = 0;
        foreach (var (token, value) in sequence.Options.LogitBias)
            stagedBiases[count++] = new TokenBias(token, value);
        Biases.SubView((long)sequence.Slot * SamplingKernel.MaxBiases, count).CopyFromPageLockedAsync(stream, stagedBiases, count);
        stream.Synchronize();
    }
}
