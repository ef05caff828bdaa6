namespace DeltaKV.Gpu.Runtime;

/// <summary>Which sides of a copy are host memory.</summary>
internal enum CopyDirection
{
    HostToDevice,
    DeviceToHost,
    DeviceToDevice,
}
