using System.Reflection;

namespace DeltaKV.Gpu.Tests.Compiler;

/// <summary>Launches an elementwise kernel over arrays of any unmanaged types and gives the last one back.</summary>
internal static unsafe class ElementwiseRunner
{
    public static void Run(Accelerator accelerator, Delegate kernel, Array[] arrays)
    {
        var loaded = accelerator.Load(kernel, implicitlyGrouped: true);
        var count = arrays[0].Length;
        var buffers = Array.ConvertAll(arrays, array => Upload(accelerator, array));
        var extent = new Index1D(count);
        var views = stackalloc ArrayView<byte>[buffers.Length];
        var arguments = stackalloc void*[buffers.Length + 1];
        arguments[0] = &extent;
        for (var i = 0; i < buffers.Length; i++)
        {
            views[i] = new ArrayView<byte>(buffers[i].View.BaseView.Pointer, count);
            arguments[i + 1] = views + i;
        }

        loaded.LaunchOver(accelerator.DefaultStream, new Index1D(count), 0, arguments);
        accelerator.Synchronize();
        Download(buffers[^1], arrays[^1]);
        foreach (var buffer in buffers)
            buffer.Dispose();
    }

    private static MemoryBuffer1D<byte, Stride1D.Dense> Upload(Accelerator accelerator, Array array)
    {
        var bytes = Bytes(array);
        var buffer = accelerator.Allocate1D<byte>(bytes.Length);
        buffer.CopyFromCPU(bytes);
        return buffer;
    }

    private static void Download(MemoryBuffer1D<byte, Stride1D.Dense> buffer, Array array) => buffer.CopyToCPU(Bytes(array));

    private static Span<byte> Bytes(Array array) => (Span<byte>)typeof(ElementwiseRunner)
        .GetMethod(nameof(BytesOf), BindingFlags.Static | BindingFlags.NonPublic)!
        .MakeGenericMethod(array.GetType().GetElementType()!)
        .CreateDelegate<BytesOfArray>()(array);

    private delegate Span<byte> BytesOfArray(Array array);

    private static Span<byte> BytesOf<T>(Array array)
        where T : unmanaged => System.Runtime.InteropServices.MemoryMarshal.AsBytes(((T[])array).AsSpan());
}
