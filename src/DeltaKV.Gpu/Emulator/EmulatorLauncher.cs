namespace DeltaKV.Gpu.Emulator;

/// <summary>Runs kernels on the CPU.</summary>
internal static unsafe class EmulatorLauncher
{
    private const int MaxThreadsPerBlock = 1024;

    /// <summary>Executes a grid and returns when it is done; one pointer per parameter, as for the driver's launch.</summary>
    public static void Launch(PtxEntry entry, Dim3 grid, Dim3 block, int dynamicSharedBytes, void** args, EmulatorOptions options)
    {
        if (block.X < 1 || block.Y < 1 || block.Z < 1 || block.Count > MaxThreadsPerBlock)
            throw new ArgumentException($"Kernel '{entry.Name}': a block of {block} is not between 1 and {MaxThreadsPerBlock} threads.", nameof(block));
        if (grid.X < 1 || grid.Y < 1 || grid.Z < 1)
            throw new ArgumentException($"Kernel '{entry.Name}': a grid of {grid} has no blocks.", nameof(grid));
        ArgumentOutOfRangeException.ThrowIfNegative(dynamicSharedBytes);

        var run = GridRun.Rent();
        try
        {
            run.Execute(entry, new LaunchShape(grid, block, dynamicSharedBytes), args, options);
        }
        finally
        {
            run.Return();
        }
    }
}
