namespace DeltaKV.Gpu.Tests.Runtime;

public class MemoryBufferTests
{
    [Theory, AcceleratorData(0), AcceleratorData(1), AcceleratorData(1000), AcceleratorData(3_000_001)]
    public void An_array_comes_back_as_it_went_in(TestDevice device, int length)
    {
        var data = Enumerable.Range(0, length).ToArray();
        using var buffer = TestAccelerators.Get(device).Allocate1D(data);

        Assert.Equal(length, buffer.Length);
        Assert.Equal(length * 4L, buffer.LengthInBytes);
        Assert.Equal(data, buffer.GetAsArray1D());
        Assert.Equal(data, buffer.View.GetAsArray1D());
    }

    [Theory, AcceleratorData]
    public void Copies_and_fills_reach_the_elements_they_name(TestDevice device)
    {
        var accelerator = TestAccelerators.Get(device);
        using var stream = accelerator.CreateStream();
        using var source = accelerator.Allocate1D(stream, Enumerable.Range(0, 10).ToArray());
        using var target = accelerator.Allocate1D<int>(stream, 10);
        target.MemSet(stream, 0xff);
        source.View.SubView(2, 3).CopyTo(stream, target.View.SubView(5, 3));
        target.View.SubView(8, 2).MemSetToZero(stream);

        Assert.Equal([-1, -1, -1, -1, -1, 2, 3, 4, 0, 0], target.GetAsArray1D(stream));
        target.CopyFrom(stream, source);
        Assert.Equal(Enumerable.Range(0, 10), target.GetAsArray1D(stream));
    }

    [Theory, AcceleratorData]
    public void Page_locked_memory_copies_both_ways(TestDevice device)
    {
        var accelerator = TestAccelerators.Get(device);
        using var stream = accelerator.CreateStream();
        using var host = accelerator.AllocatePageLocked1D<long>(257);
        using var back = accelerator.AllocatePageLocked1D<long>(257);
        using var buffer = accelerator.Allocate1D<long>(257);
        for (var i = 0; i < host.Length; i++)
            host[i] = i * 3L;
        buffer.View.CopyFromPageLockedAsync(stream, host);
        buffer.View.CopyToPageLockedAsync(stream, back);
        stream.Synchronize();

        Assert.Equal(host.Span.ToArray(), back.Span.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => host[257]);
    }

    [Theory, AcceleratorData]
    public void A_copy_that_does_not_fit_is_refused(TestDevice device)
    {
        using var buffer = TestAccelerators.Get(device).Allocate1D<int>(4);
        using var small = TestAccelerators.Get(device).Allocate1D<int>(3);

        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.CopyFromCPU(new int[5]));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.CopyToCPU(new int[5]));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.CopyTo(small));
        Assert.Throws<DeviceMemoryException>(() => buffer.View.SubView(2, 4).GetAsArray1D());
        Assert.Throws<ArgumentOutOfRangeException>(() => TestAccelerators.Get(device).Allocate1D<int>(-1));
        Assert.Throws<OverflowException>(() => TestAccelerators.Get(device).Allocate1D<int>(long.MaxValue / 2));
    }

    [Theory, AcceleratorData]
    public void A_disposed_buffer_and_its_views_say_so(TestDevice device)
    {
        var buffer = TestAccelerators.Get(device).Allocate1D<int>(4);
        var view = buffer.View;
        buffer.Dispose();
        buffer.Dispose();

        Assert.True(buffer.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => buffer.View);
        Assert.Contains("disposed", Assert.Throws<DeviceMemoryException>(() => view.GetAsArray1D()).Message, StringComparison.Ordinal);
    }

    [Theory, AcceleratorData]
    public void A_stream_of_another_accelerator_is_refused(TestDevice device)
    {
        using var other = TestAccelerators.Create(device);
        using var buffer = TestAccelerators.Get(device).Allocate1D<int>(4);

        Assert.Throws<DeviceMemoryException>(() => buffer.MemSetToZero(other.DefaultStream));
        Assert.Throws<DeviceMemoryException>(() => buffer.CopyToCPU(other.DefaultStream, new int[4]));
        Assert.Throws<DeviceMemoryException>(() => TestAccelerators.Get(device).Allocate1D<int>(other.DefaultStream, 4));
    }

    [Theory, AcceleratorData]
    public void The_cap_counts_what_is_alive(TestDevice device)
    {
        using var accelerator = TestAccelerators.Create(device);
        accelerator.MemoryLimit = 1000;
        var first = accelerator.Allocate1D<byte>(600);
        var refused = Assert.Throws<OutOfDeviceMemoryException>(() => accelerator.Allocate1D<byte>(401));

        Assert.Equal((401, 600, 1000), (refused.AskedBytes, refused.UsedBytes, refused.LimitBytes));
        Assert.Equal(600, accelerator.AllocatedBytes);
        first.Dispose();
        using var second = accelerator.Allocate1D<byte>(1000);
        Assert.Equal(1000, accelerator.AllocatedBytes);
    }

    [Theory, AcceleratorData]
    public void An_impossible_allocation_says_how_much_was_asked(TestDevice device)
    {
        using var accelerator = TestAccelerators.Create(device);
        var asked = 1L << 50;

        Assert.Equal(asked, Assert.Throws<OutOfDeviceMemoryException>(() => accelerator.Allocate1D<byte>(asked)).AskedBytes);
        Assert.Equal(0, accelerator.AllocatedBytes);
    }

    [Theory, AcceleratorData]
    public void Disposing_an_accelerator_frees_its_children(TestDevice device)
    {
        var accelerator = TestAccelerators.Create(device);
        var buffer = accelerator.Allocate1D<int>(4);
        var stream = accelerator.CreateStream();
        accelerator.Dispose();
        accelerator.Dispose();

        Assert.True(buffer.IsDisposed);
        Assert.True(stream.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => accelerator.Allocate1D<int>(4));
        Assert.Throws<ObjectDisposedException>(stream.Synchronize);
    }
}
