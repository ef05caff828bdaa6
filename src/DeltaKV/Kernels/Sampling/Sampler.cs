using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Sampling;

/// <summary>Launches <see cref="SamplingKernel"/>.</summary>
internal sealed class Sampler(Accelerator accelerator)
{
    private const int LargeVocabulary = 16 << 10;

    private readonly KernelHandle<SamplingArguments> sample = new(accelerator, SamplingKernel.Kernel, new(1024, 1));

    /// <summary>Chooses a token for each of <paramref name="count"/> rows.</summary>
    internal void Launch(AcceleratorStream stream, SamplingArguments arguments, int count)
    {
        if (count > 0)
            sample.Launch(stream, new KernelConfig(count, arguments.Vocabulary >= LargeVocabulary ? 1024 : 256), arguments);
    }
}
