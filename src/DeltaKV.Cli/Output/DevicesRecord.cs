using System.Text;
using DeltaKV.Gpu;

namespace DeltaKV.Cli.Output;

/// <summary>The devices of this machine, and why there is no GPU among them if there is none.</summary>
internal sealed record DevicesRecord(IReadOnlyList<DeviceRecord> Devices, string? CudaProblem)
{
    internal static DevicesRecord Read()
    {
        using var context = Context.CreateDefault();
        return new DevicesRecord(
            [.. context.Devices.Select(device => new DeviceRecord(device.Name, device.AcceleratorType.ToString(), device.Target, device.MemorySize, device.NumMultiprocessors))],
            context.CudaProblem?.Message);
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var device in Devices)
            text.Append($"device      {device.Name} ({device.Type}, {device.Target}), {Units.Bytes(device.MemoryBytes)}, {device.Multiprocessors} multiprocessors\n");
        if (CudaProblem is not null)
            text.Append($"no GPU      {CudaProblem}\n");
        return text.ToString().TrimEnd();
    }
}
