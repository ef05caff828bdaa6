using System.Numerics;
using System.Runtime.InteropServices;

namespace DeltaKV.Gpu.Runtime.Cpu;

/// <summary>64-byte aligned host memory. Small blocks are kept by size class, so that short-lived buffers cost no system call.</summary>
/// <param name="poison">Whether new memory is filled with 0xff, which is NaN in every float type.</param>
internal sealed unsafe class CpuMemory(bool poison) : IDisposable
{
    private const int Alignment = 64;
    private const long LargestKept = 1 << 20;
    private const int KeptPerClass = 16;
    private readonly Lock gate = new();
    private readonly Stack<nint>[] kept = [.. Enumerable.Range(0, 1 + BitOperations.Log2((ulong)LargestKept)).Select(_ => new Stack<nint>())];
    private bool disposed;

    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            foreach (var blocks in kept)
            {
                while (blocks.TryPop(out var block))
                    NativeMemory.AlignedFree((void*)block);
            }
        }
    }

    internal nint Allocate(long bytes)
    {
        var block = bytes > LargestKept ? New(bytes) : Take(ClassOf(bytes));
        if (poison)
            NativeMemory.Fill((void*)block, (nuint)bytes, 0xff);
        return block;
    }

    internal void Free(nint block, long bytes)
    {
        if (bytes <= LargestKept)
        {
            lock (gate)
            {
                var blocks = kept[ClassOf(bytes)];
                if (!disposed && blocks.Count < KeptPerClass)
                {
                    blocks.Push(block);
                    return;
                }
            }
        }

        NativeMemory.AlignedFree((void*)block);
    }

    private static int ClassOf(long bytes) => BitOperations.Log2(BitOperations.RoundUpToPowerOf2((ulong)Math.Max(bytes, Alignment)));

    private static nint New(long bytes) => (nint)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);

    private nint Take(int sizeClass)
    {
        lock (gate)
        {
            if (kept[sizeClass].TryPop(out var block))
                return block;
        }

        return New(1L << sizeClass);
    }
}
