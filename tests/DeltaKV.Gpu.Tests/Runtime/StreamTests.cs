namespace DeltaKV.Gpu.Tests.Runtime;

public class StreamTests
{
    [Theory, AcceleratorData]
    public void Markers_measure_time_forwards(TestDevice device)
    {
        var accelerator = TestAccelerators.Get(device);
        using var stream = accelerator.CreateStream();
        using var buffer = accelerator.Allocate1D<byte>(1 << 20);
        using var start = stream.AddProfilingMarker();
        buffer.MemSetToZero(stream);
        using var end = stream.AddProfilingMarker();

        Assert.True(end.MeasureFrom(start) > TimeSpan.Zero);
        Assert.Equal(end - start, end.MeasureFrom(start));
    }

    [Theory, AcceleratorData]
    public void An_event_orders_two_streams(TestDevice device)
    {
        var accelerator = TestAccelerators.Get(device);
        using var first = accelerator.CreateStream();
        using var second = accelerator.CreateStream();
        using var written = accelerator.CreateEvent();
        using var source = accelerator.Allocate1D<byte>(64 << 20);
        using var target = accelerator.Allocate1D<byte>(64 << 20);
        source.MemSet(first, 7);
        first.Record(written);
        second.Wait(written);
        target.CopyFrom(second, source);
        second.Synchronize();

        Assert.True(written.IsCompleted);
        Assert.Equal([7, 7], target.View.SubView((64 << 20) - 2, 2).GetAsArray1D());
    }

    [Theory, AcceleratorData]
    public void A_graph_replays_what_was_captured(TestDevice device)
    {
        var accelerator = TestAccelerators.Get(device);
        using var stream = accelerator.CreateStream();
        using var source = accelerator.Allocate1D(Enumerable.Range(0, 100).ToArray());
        using var target = accelerator.Allocate1D<int>(100);
        target.MemSetToZero(stream);
        stream.BeginCapture();
        Assert.True(stream.IsCapturing);
        target.CopyFrom(stream, source);
        using var graph = stream.EndCapture();

        Assert.Equal(1, graph.NodeCount);
        Assert.All(target.GetAsArray1D(stream), value => Assert.Equal(0, value));
        graph.Launch(stream);
        Assert.Equal(source.GetAsArray1D(), target.GetAsArray1D(stream));
    }

    [Theory, AcceleratorData]
    public void A_graph_takes_over_a_newer_recording(TestDevice device)
    {
        var accelerator = TestAccelerators.Get(device);
        using var stream = accelerator.CreateStream();
        using var target = accelerator.Allocate1D<byte>(100);
        using var graph = Fill(1, 1);
        graph.Launch(stream);
        using (var newer = Fill(2, 1))
            Assert.True(graph.Update(newer));
        graph.Launch(stream);
        Assert.All(target.GetAsArray1D(stream), value => Assert.Equal(2, value));
        using (var longer = Fill(3, 2))
            Assert.False(graph.Update(longer));
        graph.Launch(stream);

        Assert.Equal(2, graph.NodeCount);
        Assert.All(target.GetAsArray1D(stream), value => Assert.Equal(3, value));

        AcceleratorGraph Fill(byte value, int times)
        {
            stream.BeginCapture();
            for (var i = 0; i < times; i++)
                target.MemSet(stream, value);
            return stream.EndCapture();
        }
    }

    [Theory, AcceleratorData]
    public void What_a_graph_cannot_hold_is_refused(TestDevice device)
    {
        var accelerator = TestAccelerators.Get(device);
        using var stream = accelerator.CreateStream();
        using var buffer = accelerator.Allocate1D<int>(4);
        Assert.Throws<InvalidOperationException>(stream.EndCapture);
        stream.BeginCapture();
        Assert.Throws<InvalidOperationException>(stream.BeginCapture);
        Assert.Throws<InvalidOperationException>(() => buffer.CopyFromCPU(stream, new int[4]));
        buffer.MemSetToZero(stream);
        stream.EndCapture().Dispose();
    }
}
