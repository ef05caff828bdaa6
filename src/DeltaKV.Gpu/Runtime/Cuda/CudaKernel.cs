using DeltaKV.Gpu.Compiler;

namespace DeltaKV.Gpu.Runtime.Cuda;

/// <summary>A kernel as a function of a driver module.</summary>
internal sealed unsafe class CudaKernel : Kernel, IDisposable
{
    /// <summary>What a launch may ask for without opting in.</summary>
    private const int DynamicSharedWithoutOptIn = 48 << 10;

    private readonly CudaAccelerator accelerator;
    private readonly nint function;
    private readonly string log;
    private readonly bool blocking;
    private readonly bool waitsForPredecessor;
    private nint module;
    private int dynamicSharedLimit;

    internal CudaKernel(CudaAccelerator accelerator, KernelKey key, CompiledKernel compiled, nint module, string log)
        : base(accelerator, key.Method, compiled)
    {
        this.accelerator = accelerator;
        this.module = module;
        this.log = log;
        blocking = accelerator.Context.BlockingLaunches;
        waitsForPredecessor = compiled.Ptx.Contains("griddepcontrol.wait", StringComparison.Ordinal);
        accelerator.Check(CudaDriver.ModuleGetFunction(out function, module, compiled.EntryName), "cuModuleGetFunction");
        MaxThreadsPerGroup = Get(FunctionAttribute.MaxThreadsPerBlock);
        MaxDynamicSharedBytes = accelerator.Device.MaxDynamicSharedMemoryPerGroup - Get(FunctionAttribute.SharedSizeBytes);
        dynamicSharedLimit = DynamicSharedWithoutOptIn - Get(FunctionAttribute.SharedSizeBytes);
    }

    /// <summary>The driver's handle.</summary>
    internal nint Function => function;

    public override KernelReport Report
    {
        get
        {
            accelerator.ThrowIfUnusable();
            accelerator.Bind();
            return new(
                Name,
                accelerator.Device.Target,
                Get(FunctionAttribute.RegisterCount),
                Get(FunctionAttribute.LocalSizeBytes),
                Get(FunctionAttribute.SharedSizeBytes),
                MaxDynamicSharedBytes,
                MaxThreadsPerGroup,
                log);
        }
    }

    public override int MaxActiveGroupsPerMultiprocessor(int groupSize, int dynamicSharedBytes = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(groupSize);
        accelerator.ThrowIfUnusable();
        accelerator.Bind();
        if (dynamicSharedBytes > dynamicSharedLimit)
            RaiseDynamicSharedLimit();
        accelerator.Check(
            CudaDriver.OccupancyMaxActiveBlocks(out var groups, function, groupSize, (nuint)dynamicSharedBytes), "cuOccupancyMaxActiveBlocksPerMultiprocessor");
        return groups;
    }

    public void Dispose()
    {
        if (module == 0 || accelerator.IsLost)
            return;
        accelerator.Release(this);
        accelerator.Bind();
        accelerator.Check(CudaDriver.ModuleUnload(module), "cuModuleUnload");
        module = 0;
    }

    private protected override void LaunchCore(AcceleratorStream stream, in KernelConfig config, void** arguments)
    {
        accelerator.Bind();
        var sharedBytes = config.SharedMemoryConfig.ArraySize;
        if (sharedBytes > dynamicSharedLimit)
            RaiseDynamicSharedLimit();
        accelerator.LastLaunched = this;
        var (grid, group) = (config.GridDim, config.GroupDim);
        var result = waitsForPredecessor
            ? LaunchEarly(stream.Handle, config, arguments)
            : CudaDriver.LaunchKernel(
                function, (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)group.X, (uint)group.Y, (uint)group.Z, (uint)sharedBytes, stream.Handle, arguments, null);
        if (result == CudaResult.Success && blocking && !stream.IsCapturing)
            result = CudaDriver.StreamSynchronize(stream.Handle);
        if (result != CudaResult.Success)
            ThrowFailed(result, config, arguments);
    }

    /// <summary>Launches a kernel that itself waits for its predecessor's results; see <see cref="GridDependency"/>.</summary>
    private CudaResult LaunchEarly(nint stream, in KernelConfig config, void** arguments)
    {
        var (grid, group) = (config.GridDim, config.GroupDim);
        var early = new LaunchAttribute { Id = LaunchAttribute.ProgrammaticStreamSerialization, Flag = 1 };
        var launch = new LaunchConfig
        {
            GridX = (uint)grid.X,
            GridY = (uint)grid.Y,
            GridZ = (uint)grid.Z,
            BlockX = (uint)group.X,
            BlockY = (uint)group.Y,
            BlockZ = (uint)group.Z,
            SharedBytes = (uint)config.SharedMemoryConfig.ArraySize,
            Stream = stream,
            Attributes = &early,
            AttributeCount = 1,
        };
        return CudaDriver.LaunchKernelEx(&launch, function, arguments, null);
    }

    private void ThrowFailed(CudaResult result, in KernelConfig config, void** arguments)
    {
        var failure = accelerator.Failure(result, "cuLaunchKernel");
        throw failure is AcceleratorLostException && !blocking
            ? failure
            : new KernelLaunchException($"The launch of kernel {Name} failed: {failure.Message} {DescribeLaunch(config, arguments)}", failure);
    }

    private void RaiseDynamicSharedLimit()
    {
        accelerator.Check(
            CudaDriver.FuncSetAttribute(function, FunctionAttribute.MaxDynamicSharedSizeBytes, MaxDynamicSharedBytes), "cuFuncSetAttribute");
        // A kernel that needs so much wants as many groups of it beside each other as fit, not L1.
        accelerator.Check(
            CudaDriver.FuncSetAttribute(function, FunctionAttribute.PreferredSharedMemoryCarveout, 100), "cuFuncSetAttribute");
        dynamicSharedLimit = MaxDynamicSharedBytes;
    }

    private int Get(FunctionAttribute attribute)
    {
        accelerator.Check(CudaDriver.FuncGetAttribute(out var value, attribute, function), $"cuFuncGetAttribute({attribute})");
        return value;
    }
}
