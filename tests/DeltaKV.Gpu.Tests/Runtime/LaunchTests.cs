namespace DeltaKV.Gpu.Tests.Runtime;

public class LaunchTests
{
    private struct Pair
    {
        public ArrayView<int> Values;
        public int Factor;
    }

    [Theory, AcceleratorData(1), AcceleratorData(1000)]
    public void An_explicitly_grouped_kernel_runs_on_a_stream(TestDevice device, int length)
    {
        var accelerator = TestAccelerators.Get(device);
        using var stream = accelerator.CreateStream();
        using var buffer = accelerator.Allocate1D(stream, Enumerable.Range(0, length).ToArray());
        var kernel = accelerator.LoadKernel<ArrayView<int>, int>(AddKernel);
        kernel(stream, ((length + 63) / 64, 64), buffer.View, 5);

        Assert.Equal(Enumerable.Range(5, length), buffer.GetAsArray1D(stream));
    }

    [Theory, AcceleratorData]
    public void A_struct_argument_arrives_whole(TestDevice device)
    {
        var accelerator = TestAccelerators.Get(device);
        using var buffer = accelerator.Allocate1D(Enumerable.Range(0, 40).ToArray());
        accelerator.LoadStreamKernel<Pair>(ScaleKernel)((2, 32), new Pair { Values = buffer.View, Factor = 3 });

        Assert.Equal(Enumerable.Range(0, 40).Select(i => i * 3), buffer.GetAsArray1D());
    }

    [Theory, AcceleratorData(1), AcceleratorData(31), AcceleratorData(1025)]
    public void An_implicitly_grouped_kernel_covers_its_extent_and_no_more(TestDevice device, int length)
    {
        var accelerator = TestAccelerators.Get(device);
        using var buffer = accelerator.Allocate1D<int>(length + 100);
        buffer.MemSetToZero();
        accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<int>>(MarkKernel)(length, buffer.View);
        accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<int>>(MarkKernel)(0, buffer.View);

        Assert.Equal(Enumerable.Repeat(1, length).Concat(Enumerable.Repeat(0, 100)), buffer.GetAsArray1D());
    }

    [Theory, AcceleratorData]
    public void Extents_of_two_and_three_dimensions_are_covered_once(TestDevice device)
    {
        var accelerator = TestAccelerators.Get(device);
        using var plane = accelerator.Allocate1D<int>(37 * 11);
        using var cube = accelerator.Allocate1D<int>(5 * 7 * 9);
        plane.MemSetToZero();
        cube.MemSetToZero();
        accelerator.LoadAutoGroupedStreamKernel<Index2D, ArrayView<int>, int>(MarkPlaneKernel)(new Index2D(37, 11), plane.View, 37);
        accelerator.LoadImplicitlyGroupedStreamKernel<Index3D, ArrayView<int>, Index2D>(MarkCubeKernel, 64)((5, 7, 9), cube.View, (5, 7));

        Assert.All(plane.GetAsArray1D(), value => Assert.Equal(1, value));
        Assert.All(cube.GetAsArray1D(), value => Assert.Equal(1, value));
    }

    [Theory, AcceleratorData(1024), AcceleratorData(50_000)]
    public void Dynamic_shared_memory_may_pass_48_KiB(TestDevice device, int elements)
    {
        var accelerator = TestAccelerators.Get(device);
        using var buffer = accelerator.Allocate1D<int>(elements);
        accelerator.LoadStreamKernel<ArrayView<int>>(ReverseKernel)((1, 256, SharedMemoryConfig.RequestDynamic<int>(elements)), buffer.View);

        Assert.Equal(Enumerable.Range(0, elements).Reverse(), buffer.GetAsArray1D());
    }

    [Theory, AcceleratorData]
    public void A_graph_keeps_the_arguments_of_its_recording(TestDevice device)
    {
        var accelerator = TestAccelerators.Get(device);
        using var stream = accelerator.CreateStream();
        using var buffer = accelerator.Allocate1D(stream, new int[64]);
        var kernel = accelerator.LoadKernel<ArrayView<int>, int>(AddKernel);
        stream.BeginCapture();
        kernel(stream, (1, 64), buffer.View, 2);
        kernel(stream, (1, 64), buffer.View, 3);
        using var graph = stream.EndCapture();
        for (var i = 0; i < 3; i++)
            graph.Launch(stream);

        Assert.Equal(2, graph.NodeCount);
        Assert.All(buffer.GetAsArray1D(stream), value => Assert.Equal(15, value));
    }

    [Theory, AcceleratorData]
    public void A_refused_launch_names_kernel_arguments_and_configuration(TestDevice device)
    {
        var accelerator = TestAccelerators.Get(device);
        using var buffer = accelerator.Allocate1D<int>(8);
        var kernel = accelerator.LoadStreamKernel<ArrayView<int>, int>(AddKernel);
        var refused = Assert.Throws<KernelLaunchException>(() => kernel((0, 64), buffer.View, 77));

        Assert.Contains(nameof(AddKernel), refused.Message, StringComparison.Ordinal);
        Assert.Contains("values = ArrayView<Int32>[8]", refused.Message, StringComparison.Ordinal);
        Assert.Contains("addend = 77", refused.Message, StringComparison.Ordinal);
        Assert.Contains("grid (0, 1, 1), group (64, 1, 1)", refused.Message, StringComparison.Ordinal);
        Assert.Throws<KernelLaunchException>(() => kernel((1, 1025), buffer.View, 1));
        Assert.Throws<KernelLaunchException>(() => kernel((1, 64, SharedMemoryConfig.RequestDynamic<byte>(300 << 10)), buffer.View, 1));
        Assert.Throws<KernelLaunchException>(() => kernel(new KernelConfig(new Index3D(1, 70_000, 1), new Index3D(32, 1, 1)), buffer.View, 1));
    }

    [Theory, AcceleratorData]
    public void A_bounded_kernel_refuses_larger_groups(TestDevice device)
    {
        var accelerator = TestAccelerators.Get(device);
        using var buffer = accelerator.Allocate1D(new int[128]);
        var kernel = accelerator.LoadStreamKernel<ArrayView<int>, int>(AddKernel, new KernelSpecialization(64, 2));
        kernel((2, 64), buffer.View, 1);

        Assert.All(buffer.GetAsArray1D(), value => Assert.Equal(1, value));
        Assert.Throws<KernelLaunchException>(() => kernel((1, 65), buffer.View, 1));
        Assert.Equal(64, kernel.GetKernel().Report.MaxThreadsPerGroup);
    }

    [Theory, AcceleratorData]
    public void Work_of_another_accelerator_is_refused(TestDevice device)
    {
        var accelerator = TestAccelerators.Get(device);
        using var other = TestAccelerators.Create(device);
        using var buffer = accelerator.Allocate1D<int>(8);
        var kernel = accelerator.LoadKernel<ArrayView<int>, int>(AddKernel);

        Assert.Throws<DeviceMemoryException>(() => kernel(other.DefaultStream, (1, 8), buffer.View, 1));
        Assert.Throws<ArgumentNullException>(() => kernel(null!, (1, 8), buffer.View, 1));
    }

    [Fact]
    public void The_cpu_accelerator_refuses_stale_and_foreign_views()
    {
        using var accelerator = TestAccelerators.Create(TestDevice.Cpu);
        using var other = TestAccelerators.Create(TestDevice.Cpu);
        using var foreign = other.Allocate1D<int>(8);
        var stale = accelerator.Allocate1D<int>(8);
        var view = stale.View;
        stale.Dispose();
        var kernel = accelerator.LoadStreamKernel<Pair>(ScaleKernel);

        Assert.Throws<DeviceMemoryException>(() => kernel((1, 8), new Pair { Values = view }));
        Assert.Throws<DeviceMemoryException>(() => kernel((1, 8), new Pair { Values = foreign.View }));
        kernel((1, 8), default);
    }

    [Theory, AcceleratorData]
    public void A_loaded_kernel_reports_itself(TestDevice device)
    {
        var accelerator = TestAccelerators.Get(device);
        var kernel = accelerator.LoadStreamKernel<ArrayView<int>, int>(AddKernel).GetKernel();

        Assert.Same(kernel, accelerator.LoadKernel<ArrayView<int>, int>(AddKernel).GetKernel());
        Assert.Contains(".entry", kernel.Ptx, StringComparison.Ordinal);
        Assert.Equal(0, kernel.Report.LocalBytes);
        Assert.Equal(device == TestDevice.Cuda, kernel.Report.Registers > 0);
        Assert.InRange(kernel.Occupancy(256), 0.05, 1);
        Assert.Throws<ArgumentException>(() => ((Action)(() => { })).GetKernel());
    }

    [Theory, AcceleratorData]
    public async Task Kernels_compile_ahead_in_parallel(TestDevice device)
    {
        using var accelerator = TestAccelerators.Create(device);
        accelerator.PreloadKernels([(Action<ArrayView<int>, int>)AddKernel, (Action<Pair>)ScaleKernel, (Action<Index1D, ArrayView<int>>)MarkKernel]);
        var kernel = await accelerator.CompileAsync((Action<ArrayView<int>, int>)AddKernel);

        Assert.Same(kernel, accelerator.LoadStreamKernel<ArrayView<int>, int>(AddKernel).GetKernel());
    }

    [Fact]
    public void The_ptx_of_loaded_kernels_is_dumped_on_request()
    {
        var directory = Path.Combine(Path.GetTempPath(), "deltakv-tests-" + Guid.NewGuid().ToString("N"));
        using (var context = Context.Create(builder => builder.CPU().DumpPtx(directory)))
        {
            var kernel = context.CreateCPUAccelerator(0).LoadStreamKernel<ArrayView<int>, int>(AddKernel).GetKernel();
            Assert.Equal(kernel.Ptx, File.ReadAllText(Directory.GetFiles(directory, "*.ptx").Single()));
        }

        Directory.Delete(directory, recursive: true);
    }

    [Theory, AcceleratorData]
    public void A_launch_allocates_nothing(TestDevice device)
    {
        var accelerator = TestAccelerators.Get(device);
        using var buffer = accelerator.Allocate1D<int>(64);
        var kernel = accelerator.LoadAutoGroupedKernel<Index1D, ArrayView<int>>(MarkKernel);

        // An empty extent goes through all but the driver; the emulator is not held to this.
        var extent = accelerator.AcceleratorType == AcceleratorType.Cuda ? 64 : 0;
        kernel(accelerator.DefaultStream, extent, buffer.View);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            kernel(accelerator.DefaultStream, extent, buffer.View);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        accelerator.Synchronize();
    }

    private static void AddKernel(ArrayView<int> values, int addend)
    {
        var i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i < values.Length)
            values[i] += addend;
    }

    private static void ScaleKernel(Pair pair)
    {
        var i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i < pair.Values.Length)
            pair.Values[i] *= pair.Factor;
    }

    private static void MarkKernel(Index1D index, ArrayView<int> values) => values[index] += 1;

    private static void MarkPlaneKernel(Index2D index, ArrayView<int> values, int width) => values[(index.Y * width) + index.X] += 1;

    private static void MarkCubeKernel(Index3D index, ArrayView<int> values, Index2D size) =>
        values[(((index.Z * size.Y) + index.Y) * size.X) + index.X] += 1;

    private static void ReverseKernel(ArrayView<int> values)
    {
        var shared = SharedMemory.GetDynamic<int>();
        for (var i = Group.IdxX; i < values.Length; i += Group.DimX)
            shared[i] = i;
        Group.Barrier();
        for (var i = Group.IdxX; i < values.Length; i += Group.DimX)
            values[i] = shared[values.IntLength - 1 - i];
    }
}
