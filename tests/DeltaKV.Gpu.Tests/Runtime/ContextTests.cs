namespace DeltaKV.Gpu.Tests.Runtime;

public class ContextTests
{
    [Fact]
    public void A_default_context_always_has_a_device()
    {
        using var context = Context.CreateDefault();
        using var accelerator = context.GetPreferredDevice(preferCPU: true).CreateAccelerator(context);

        Assert.Equal(AcceleratorType.CPU, accelerator.AcceleratorType);
        Assert.Equal(32, accelerator.WarpSize);
        var hasGpu = context.GetDevices<CudaDevice>().Count > 0;
        Assert.True(hasGpu || context.CudaProblem is not null);
        Assert.Equal(hasGpu ? AcceleratorType.Cuda : AcceleratorType.CPU, context.GetPreferredDevice(preferCPU: false).AcceleratorType);
    }

    [Fact]
    public void Without_a_gpu_the_reason_is_given()
    {
        using var context = Context.Create(builder => builder.Cuda());
        if (context.GetDevices<CudaDevice>().Count > 0)
        {
            Assert.Null(context.CudaProblem);
            return;
        }

        var problem = Assert.Throws<CudaUnavailableException>(() => context.CreateCudaAccelerator(0));
        Assert.Same(context.CudaProblem, problem);
        Assert.True(Enum.IsDefined(problem.Reason));
        Assert.Equal(AcceleratorType.CPU, context.GetPreferredDevice(preferCPU: false).AcceleratorType);
    }

    [Fact]
    public void A_device_that_was_not_asked_for_is_out_of_range()
    {
        using var context = Context.Create(builder => builder.CPU(new CPUDevice(threads: 1)));

        Assert.Equal(1, context.CreateCPUAccelerator(0).NumMultiprocessors);
        Assert.Throws<ArgumentOutOfRangeException>(() => context.CreateCPUAccelerator(1));
    }

    [Fact]
    public void Disposing_a_context_disposes_its_accelerators()
    {
        var context = Context.Create(builder => builder.CPU());
        var accelerator = context.CreateCPUAccelerator(0);
        context.Dispose();

        Assert.True(accelerator.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => CPUDevice.Default.CreateAccelerator(context));
    }
}
