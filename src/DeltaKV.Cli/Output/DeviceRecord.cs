namespace DeltaKV.Cli.Output;

/// <summary>A device.</summary>
internal sealed record DeviceRecord(string Name, string Type, string Target, long MemoryBytes, int Multiprocessors);
