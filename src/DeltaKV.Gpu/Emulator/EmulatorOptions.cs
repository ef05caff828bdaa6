namespace DeltaKV.Gpu.Emulator;

/// <summary>How a launch is executed.</summary>
internal sealed class EmulatorOptions
{
    /// <summary>Operating-system threads the blocks are spread over; 1 keeps everything on the calling thread.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Checks every memory access and barrier; many times slower.</summary>
    public bool Sanitize { get; init; }

    /// <summary>The global allocations; without it the sanitizer does not check global bounds.</summary>
    public IMemoryMap? Memory { get; init; }
}
