using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>The kernels that read coded layers: one for every way in which steps and references are stored, and for few and for many dimensions of a value.</summary>
internal sealed class LatentVariants
{
    private static readonly KernelSpecialization Narrow = new(32 * LatentDecodeKernel.Warps, 2);
    private static readonly KernelSpecialization Wide = new(32 * LatentDecodeKernel.Warps, 1);

    private readonly Accelerator accelerator;
    private readonly (KernelHandle<LatentArguments> Attend, KernelHandle<LatentArguments> Score)[] kernels;

    internal LatentVariants(Accelerator accelerator, int headDim)
    {
        this.accelerator = accelerator;
        (kernels, Combine) = headDim == 64 ? Select<Heads.Of64>() : Select<Heads.Of128>();
    }

    /// <summary>Adds the splits of attention.</summary>
    internal KernelHandle<LatentArguments> Combine { get; }

    /// <summary>Attention of a layer.</summary>
    internal KernelHandle<LatentArguments> Attend(LatentLayer plan, CodePoolView pool) => kernels[Variant(plan, pool)].Attend;

    /// <summary>Scores of a layer.</summary>
    internal KernelHandle<LatentArguments> Score(LatentLayer plan, CodePoolView pool) => kernels[Variant(plan, pool)].Score;

    /// <summary>Whether a warp has one sixteen of a value's dimensions at most, and two groups fit a multiprocessor's registers.</summary>
    internal static bool IsNarrow(LatentLayer plan) => plan.ValueSteps <= LatentDecodeKernel.Warps;

    private static int Variant(LatentLayer plan, CodePoolView pool) =>
        (plan.Neighbours == 0 ? 0 : pool.ReferenceBits switch { 16 => 4, 8 => 8, _ => 12 }) + (IsNarrow(plan) ? 0 : 2) + (plan.IsFolded ? 0 : 1);

    private ((KernelHandle<LatentArguments>, KernelHandle<LatentArguments>)[] Kernels, KernelHandle<LatentArguments> Combine) Select<THead>()
        where THead : struct, IHead => (
            [.. Of<THead, TwoPasses, Alone>(), .. Of<THead, OnePass, Halves>(), .. Of<THead, OnePass, BytesOf>(), .. Of<THead, OnePass, NibblesOf>()],
            new(accelerator, LatentCombineKernel.Kernel<THead>));

    /// <summary>Narrow and wide, each with folded and with stored steps.</summary>
    private (KernelHandle<LatentArguments>, KernelHandle<LatentArguments>)[] Of<THead, TWide, TReferences>()
        where THead : struct, IHead
        where TWide : struct, LatentDecodeKernel.IValueSteps
        where TReferences : struct, LatentDecodeKernel.IReferences =>
        [
            Of<THead, OneStep, Folded, TReferences>(Narrow),
            Of<THead, OneStep, Stored, TReferences>(Narrow),
            Of<THead, TWide, Folded, TReferences>(Wide),
            Of<THead, TWide, Stored, TReferences>(Wide),
        ];

    private (KernelHandle<LatentArguments>, KernelHandle<LatentArguments>) Of<THead, TSteps, TScales, TReferences>(KernelSpecialization specialization)
        where THead : struct, IHead
        where TSteps : struct, LatentDecodeKernel.IValueSteps
        where TScales : struct, LatentDecodeKernel.IScales
        where TReferences : struct, LatentDecodeKernel.IReferences => (
            new(accelerator, LatentDecodeKernel.Kernel<THead, TSteps, TScales, TReferences>, specialization),
            new(accelerator, LatentScoreKernel.Kernel<THead, TSteps, TScales, TReferences>, specialization));

    private readonly struct Folded : LatentDecodeKernel.IScales
    {
        public static bool AreFolded => true;
    }

    private readonly struct Stored : LatentDecodeKernel.IScales
    {
        public static bool AreFolded => false;
    }

    private readonly struct Alone : LatentDecodeKernel.IReferences
    {
        public static int Bits => 0;
    }

    private readonly struct Halves : LatentDecodeKernel.IReferences
    {
        public static int Bits => 16;
    }

    private readonly struct BytesOf : LatentDecodeKernel.IReferences
    {
        public static int Bits => 8;
    }

    private readonly struct NibblesOf : LatentDecodeKernel.IReferences
    {
        public static int Bits => 4;
    }

    private readonly struct OneStep : LatentDecodeKernel.IValueSteps
    {
        public static int PerWarp => 1;

        public static int Sweep => 1;
    }

    private readonly struct OnePass : LatentDecodeKernel.IValueSteps
    {
        public static int PerWarp => 4;

        public static int Sweep => 1;
    }

    private readonly struct TwoPasses : LatentDecodeKernel.IValueSteps
    {
        public static int PerWarp => 4;

        public static int Sweep => 2;
    }
}
