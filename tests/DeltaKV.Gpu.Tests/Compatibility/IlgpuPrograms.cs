using DeltaKV.Gpu;

namespace Compatibility;

/// <summary>
/// Kernels and host code that use nothing but ILGPU 1.5's API. tools/ilgpu-compat compiles this file against ILGPU itself,
/// with its namespaces in place of ours and nothing else changed.
/// </summary>
public static class IlgpuPrograms
{
    public readonly struct Line
    {
        public Line(float slope, float offset)
        {
            Slope = slope;
            Offset = offset;
        }

        public float Slope { get; }

        public float Offset { get; }

        public float At(float x) => (Slope * x) + Offset;
    }

    public static float[] Apply(Accelerator accelerator, float[] input, Line line)
    {
        using var source = accelerator.Allocate1D(input);
        using var target = accelerator.Allocate1D<float>(input.Length);
        var kernel = accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>, ArrayView<float>, Line>(ApplyKernel);
        kernel((int)source.Length, source.View, target.View, line);
        accelerator.Synchronize();
        return target.GetAsArray1D();
    }

    public static int Sum(Accelerator accelerator, int[] input)
    {
        using var stream = accelerator.CreateStream();
        using var source = accelerator.Allocate1D<int>(input.Length);
        using var total = accelerator.Allocate1D<int>(1);
        source.CopyFromCPU(stream, input);
        total.MemSetToZero(stream);
        var kernel = accelerator.LoadKernel<ArrayView<int>, ArrayView<int>>(SumKernel);
        kernel(stream, ((input.Length + 127) / 128, 128), source.View, total.View);
        stream.Synchronize();
        var result = new int[1];
        total.CopyToCPU(stream, result);
        return result[0];
    }

    public static int[] Reverse(Accelerator accelerator, int[] input)
    {
        using var buffer = accelerator.Allocate1D(input);
        var kernel = accelerator.LoadStreamKernel<ArrayView<int>>(ReverseKernel);
        var config = new KernelConfig(1, 64, SharedMemoryConfig.RequestDynamic<int>(input.Length));
        kernel(config, buffer.View);
        return buffer.GetAsArray1D();
    }

    public static float[] Transpose(Accelerator accelerator, float[] input, int width, int height)
    {
        using var source = accelerator.Allocate1D(input);
        using var target = accelerator.Allocate1D<float>(input.Length);
        var kernel = accelerator.LoadStreamKernel<ArrayView<float>, ArrayView<float>, int, int>(TransposeKernel);
        kernel((new Index2D((width + 15) / 16, (height + 15) / 16), new Index2D(16, 16)), source.View, target.View, width, height);
        return target.GetAsArray1D();
    }

    public static int[] Histogram(Accelerator accelerator, byte[] input, int bins)
    {
        using var source = accelerator.Allocate1D(input);
        using var counts = accelerator.Allocate1D<int>(bins);
        counts.MemSetToZero();
        accelerator.LoadImplicitlyGroupedStreamKernel<Index1D, ArrayView<byte>, ArrayView<int>>(HistogramKernel, 128)(
            source.IntExtent, source.View, counts.View.SubView(0, bins));
        return counts.View.GetAsArray1D();
    }

    public static double[] PageLockedRoundTrip(Accelerator accelerator, int length)
    {
        using var stream = accelerator.CreateStream();
        using var host = accelerator.AllocatePageLocked1D<double>(length);
        using var device = accelerator.Allocate1D<double>(host.Extent);
        for (var i = 0; i < length; i++)
            host[i] = i * 0.5;
        device.View.CopyFromPageLockedAsync(stream, host);
        using var start = stream.AddProfilingMarker();
        accelerator.LoadAutoGroupedKernel<Index1D, ArrayView<double>>(RootKernel)(stream, length, device.View);
        using var end = stream.AddProfilingMarker();
        stream.Synchronize();
        if (end.MeasureFrom(start) < TimeSpan.Zero)
            throw new InvalidOperationException("Time went backwards.");
        device.View.CopyToPageLockedAsync(stream, host);
        stream.Synchronize();
        return host.Span.ToArray();
    }

    public static string Describe(bool preferCPU)
    {
        using var context = Context.Create(builder => builder.Default().Profiling());
        using var accelerator = context.GetPreferredDevice(preferCPU).CreateAccelerator(context);
        var names = string.Join(", ", context.Devices.Select(device => $"{device.Name} {device.AcceleratorType}"));
        return $"{accelerator.Name}: {accelerator.WarpSize} lanes, {accelerator.MaxNumThreadsPerGroup} threads, {accelerator.NumMultiprocessors} of {names}";
    }

    private static void ApplyKernel(Index1D index, ArrayView<float> source, ArrayView<float> target, Line line) =>
        target[index] = MathF.Max(line.At(source[index]), 0);

    private static void SumKernel(ArrayView<int> source, ArrayView<int> total)
    {
        ref var partial = ref SharedMemory.Allocate<int>();
        if (Group.IsFirstThread)
            partial = 0;
        Group.Barrier();
        var i = Grid.GlobalIndex.X;
        var value = i < source.Length ? source[i] : 0;
        for (var offset = Warp.WarpSize / 2; offset > 0; offset /= 2)
            value += Warp.ShuffleDown(value, offset);
        if (Warp.IsFirstLane)
            Atomic.Add(ref partial, value);
        Group.Barrier();
        if (Group.IsFirstThread)
            Atomic.Add(ref total[0], partial);
    }

    private static void ReverseKernel(ArrayView<int> values)
    {
        var shared = SharedMemory.GetDynamic<int>();
        for (var i = Group.IdxX; i < values.IntLength; i += Group.DimX)
            shared[i] = values[i];
        Group.Barrier();
        for (var i = Group.IdxX; i < values.IntLength; i += Group.DimX)
            values[i] = shared[values.IntLength - 1 - i];
    }

    private static void TransposeKernel(ArrayView<float> source, ArrayView<float> target, int width, int height)
    {
        var tile = SharedMemory.Allocate<float>(16 * 17);
        var x = (Grid.IdxX * 16) + Group.IdxX;
        var y = (Grid.IdxY * 16) + Group.IdxY;
        if (x < width && y < height)
            tile[(Group.IdxY * 17) + Group.IdxX] = source[(y * width) + x];
        Group.Barrier();
        x = (Grid.IdxY * 16) + Group.IdxX;
        y = (Grid.IdxX * 16) + Group.IdxY;
        if (x < height && y < width)
            target[(y * height) + x] = tile[(Group.IdxX * 17) + Group.IdxY];
    }

    private static void HistogramKernel(Index1D index, ArrayView<byte> source, ArrayView<int> counts) =>
        Atomic.Add(ref counts[source[index] % counts.IntLength], 1);

    private static void RootKernel(Index1D index, ArrayView<double> values) => values[index] = Math.Sqrt(values[index]);
}
