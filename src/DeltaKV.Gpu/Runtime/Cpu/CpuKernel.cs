using DeltaKV.Gpu.Compiler;
using DeltaKV.Gpu.Emulator;

namespace DeltaKV.Gpu.Runtime.Cpu;

/// <summary>A kernel the emulator executes.</summary>
internal sealed unsafe class CpuKernel : Kernel
{
    private readonly CPUAccelerator accelerator;
    private readonly PtxEntry entry;
    private readonly ViewField[] views;

    internal CpuKernel(CPUAccelerator accelerator, KernelKey key, CompiledKernel compiled)
        : base(accelerator, key.Method, compiled)
    {
        this.accelerator = accelerator;
        entry = PtxModule.Parse(compiled.Ptx).Entry(compiled.EntryName);
        views = [.. compiled.Parameters.SelectMany((parameter, index) => ViewField.Of(index, parameter.Type))];
        MaxThreadsPerGroup = key.Specialization.MaxNumThreadsPerGroup ?? accelerator.MaxNumThreadsPerGroup;
        MaxDynamicSharedBytes = accelerator.Device.MaxDynamicSharedMemoryPerGroup - compiled.StaticSharedBytes;
    }

    public override KernelReport Report => new(
        Name, accelerator.Device.Target, 0, entry.LocalBytes, entry.StaticSharedBytes, MaxDynamicSharedBytes, MaxThreadsPerGroup, "");

    public override int MaxActiveGroupsPerMultiprocessor(int groupSize, int dynamicSharedBytes = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(groupSize);
        return 1;
    }

    private protected override void LaunchCore(AcceleratorStream stream, in KernelConfig config, void** arguments)
    {
        CheckViews(config, arguments);
        if (stream.IsCapturing)
            Record((CpuStream)stream, config, arguments);
        else
            Run(config, arguments);
    }

    /// <summary>A GPU reports a stale view as a fault; here it would end the process, so it is looked at first.</summary>
    private void CheckViews(in KernelConfig config, void** arguments)
    {
        foreach (var (parameter, offset, elementSize) in views)
        {
            var view = *(ArrayView<byte>*)((byte*)arguments[parameter] + offset);
            if (view.Length == 0 || accelerator.Allocations.Contains((nuint)view.Pointer, view.Length * elementSize))
                continue;
            throw new DeviceMemoryException(
                $"Kernel {Name} was not launched: a view in argument {parameter} is not in a live buffer of {accelerator.Name} (its first byte is " +
                $"{accelerator.Allocations.Describe((nuint)view.Pointer)}). {DescribeLaunch(config, arguments)}");
        }
    }

    private void Run(in KernelConfig config, void** arguments) => GridRun.Launch(entry, config, arguments, accelerator.EmulatorOptions);

    private void Record(CpuStream stream, KernelConfig config, void** arguments)
    {
        var values = Compiled.Parameters.Select((parameter, i) => new ReadOnlySpan<byte>(arguments[i], parameter.Size).ToArray()).ToArray();
        var total = values.Sum(value => Padded(value.Length));
        stream.Do(() => Replay(config, values, total));
    }

    private static int Padded(int bytes) => (bytes + 15) / 16 * 16;

    private void Replay(in KernelConfig config, byte[][] values, int total)
    {
        var bytes = stackalloc byte[total + 16];
        var pointers = stackalloc void*[values.Length + 1];
        bytes += 16 - ((nint)bytes & 15);
        for (var i = 0; i < values.Length; i++)
        {
            values[i].CopyTo(new Span<byte>(bytes, values[i].Length));
            pointers[i] = bytes;
            bytes += Padded(values[i].Length);
        }

        Run(config, pointers);
    }
}
