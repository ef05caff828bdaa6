using System.Runtime.InteropServices;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Aligned native memory that grows on demand and forgets its contents when it does.</summary>
internal unsafe struct NativeArena
{
    private byte* memory;
    private nuint capacity;

    public byte* Reserve(nuint bytes, nuint alignment)
    {
        if (bytes > capacity || memory == null)
        {
            NativeMemory.AlignedFree(memory);
            capacity = Math.Max(bytes + (bytes / 2), 4096);
            memory = (byte*)NativeMemory.AlignedAlloc(capacity, alignment);
            NativeMemory.Clear(memory, capacity);
        }

        return memory;
    }

    public void Free() => NativeMemory.AlignedFree(memory);
}
