using System.Reflection;
using DeltaKV.Gpu.Compiler;
using DeltaKV.Gpu.Runtime;

namespace DeltaKV.Gpu;

/// <summary>A kernel loaded on an accelerator. The delegates of <c>LoadKernel</c> and its siblings launch it.</summary>
public abstract unsafe class Kernel
{
    private readonly CompiledKernel compiled;

    private protected Kernel(Accelerator accelerator, MethodInfo method, CompiledKernel compiled)
    {
        Accelerator = accelerator;
        Method = method;
        this.compiled = compiled;
    }

    /// <summary>The accelerator it is loaded on.</summary>
    public Accelerator Accelerator { get; }

    /// <summary>The C# method.</summary>
    public MethodInfo Method { get; }

    /// <summary>The name of the C# method with its type and generic arguments.</summary>
    public string Name => compiled.DisplayName;

    /// <summary>The PTX it was compiled to.</summary>
    public string Ptx => compiled.Ptx;

    /// <summary>What it takes per thread and group.</summary>
    public abstract KernelReport Report { get; }

    internal CompiledKernel Compiled => compiled;

    /// <summary>The largest group it can be launched with.</summary>
    private protected int MaxThreadsPerGroup { get; init; }

    /// <summary>The most dynamic shared memory it can be launched with.</summary>
    private protected int MaxDynamicSharedBytes { get; init; }

    /// <summary>The number of groups that fit on a multiprocessor at once.</summary>
    public abstract int MaxActiveGroupsPerMultiprocessor(int groupSize, int dynamicSharedBytes = 0);

    /// <summary>The share of a multiprocessor's threads that groups of this size can fill.</summary>
    public double Occupancy(int groupSize, int dynamicSharedBytes = 0) =>
        (double)MaxActiveGroupsPerMultiprocessor(groupSize, dynamicSharedBytes) * groupSize / Accelerator.MaxNumThreadsPerMultiprocessor;

    /// <inheritdoc/>
    public override string ToString() => $"{Name} on {Accelerator.Name}";

    /// <summary>Queues a launch. <paramref name="arguments"/> holds one pointer per parameter.</summary>
    internal void Launch(AcceleratorStream stream, in KernelConfig config, void** arguments)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Accelerator.ThrowIfUnusable();
        if (!ReferenceEquals(stream.Accelerator, Accelerator))
            stream.ThrowIfForeign(Accelerator);
        if (stream.IsDisposed || !Fits(config))
            ThrowRefused(stream, config, arguments);
        LaunchCore(stream, config, arguments);
    }

    /// <summary>Queues a launch of an implicitly grouped kernel; the extent is its first argument.</summary>
    internal void LaunchOver<TIndex>(AcceleratorStream stream, TIndex index, int groupSize, void** arguments)
        where TIndex : struct, IIndex
    {
        var extent = ImplicitGrouping.ToIndex3D(index);
        if (extent.X == 0 || extent.Y == 0 || extent.Z == 0)
            return;
        var group = ImplicitGrouping.GroupFor(extent, ImplicitGrouping.DimensionsOf<TIndex>(), groupSize, MaxThreadsPerGroup);
        var config = new KernelConfig(ImplicitGrouping.GridFor(extent, group), group);
        Launch(stream, config, arguments);
    }

    internal string DescribeLaunch(in KernelConfig config, void** arguments) =>
        $"Configuration: {config}. Arguments: {ArgumentRenderer.Render(Method, compiled.Parameters, arguments)}.";

    private protected abstract void LaunchCore(AcceleratorStream stream, in KernelConfig config, void** arguments);

    private bool Fits(in KernelConfig config) =>
        config.IsValid
        && config.GridDim.Y <= ushort.MaxValue && config.GridDim.Z <= ushort.MaxValue && config.GroupDim.Z <= 64
        && config.GroupDim.LongSize <= MaxThreadsPerGroup
        && config.SharedMemoryConfig.ArraySize <= MaxDynamicSharedBytes;

    private void ThrowRefused(AcceleratorStream stream, in KernelConfig config, void** arguments)
    {
        ObjectDisposedException.ThrowIf(stream.IsDisposed, stream);
        var reason = !config.IsValid ? "every grid and group dimension must be positive"
            : config.GroupDim.LongSize > MaxThreadsPerGroup
                ? $"its groups can have at most {MaxThreadsPerGroup} threads, not {config.GroupDim.LongSize} (registers bound it: load it with a KernelSpecialization)"
            : config.SharedMemoryConfig.ArraySize > MaxDynamicSharedBytes
                ? $"it can have at most {MaxDynamicSharedBytes} bytes of dynamic shared memory beside its {compiled.StaticSharedBytes} static ones, not {config.SharedMemoryConfig.ArraySize}"
            : "grids have at most 65535 groups along Y and Z, and groups at most 64 threads along Z";
        throw new KernelLaunchException($"Kernel {Name} was not launched: {reason}. {DescribeLaunch(config, arguments)}");
    }
}
