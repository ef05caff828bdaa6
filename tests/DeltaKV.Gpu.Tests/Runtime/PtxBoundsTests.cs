using DeltaKV.Gpu.Compiler;
using DeltaKV.Gpu.Runtime;

namespace DeltaKV.Gpu.Tests.Runtime;

public class PtxBoundsTests
{
    [Fact]
    public void Bounds_stand_between_parameters_and_body()
    {
        var kernel = new CompiledKernel("k", "k", ".visible .entry k(\n.param .u32 p0\n)\n{ ret; }", [], 0, false);

        Assert.Equal(
            ".visible .entry k(\n.param .u32 p0\n)\n.maxntid 256, 1, 1\n.minnctapersm 2\n\n{ ret; }",
            PtxBounds.Apply(kernel, new KernelSpecialization(256, 2)).Ptx);
        Assert.Same(kernel, PtxBounds.Apply(kernel, default));
    }

    [Fact]
    public void Bounds_that_mean_nothing_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new KernelSpecialization(null, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => new KernelSpecialization(0, null));
        Assert.Throws<ArgumentOutOfRangeException>(() => new KernelSpecialization(2048, null));
    }
}
