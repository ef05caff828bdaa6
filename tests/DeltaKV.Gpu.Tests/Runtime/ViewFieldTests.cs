using DeltaKV.Gpu.Runtime;

namespace DeltaKV.Gpu.Tests.Runtime;

public class ViewFieldTests
{
    private struct Inner
    {
        public byte Tag;
        public ArrayView<double> Values;
    }

    private struct Outer
    {
        public int Count;
        public ArrayView<byte> Bytes;
        public Inner Inner;
        public ArrayView1D<int, Stride1D.Dense> Dense;
    }

    [Fact]
    public unsafe void Views_are_found_at_their_managed_offsets()
    {
        var value = new Outer { Bytes = new(0x1000, 1), Inner = new() { Values = new(0x2000, 2) }, Dense = new(new ArrayView<int>(0x3000, 3), default) };
        var bytes = new ReadOnlySpan<byte>(&value, sizeof(Outer)).ToArray();
        var fields = ViewField.Of(4, typeof(Outer)).ToList();

        Assert.Equal([1, 8, 4], fields.Select(field => field.ElementSize));
        Assert.All(fields, field => Assert.Equal(4, field.Parameter));
        Assert.Equal([0x1000L, 0x2000, 0x3000], fields.Select(field => BitConverter.ToInt64(bytes, field.Offset)));
    }

    [Fact]
    public void Scalars_hold_no_views()
    {
        Assert.Empty(ViewField.Of(0, typeof(float)));
        Assert.Empty(ViewField.Of(0, typeof(Index3D)));
    }
}
