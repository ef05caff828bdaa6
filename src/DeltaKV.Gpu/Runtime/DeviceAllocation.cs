namespace DeltaKV.Gpu.Runtime;

/// <summary>One allocation of an accelerator.</summary>
/// <param name="Accelerator">The owner.</param>
/// <param name="Pointer">The address; 0 when there are no bytes.</param>
/// <param name="Bytes">The size.</param>
/// <param name="Stream">The stream that orders its life, or null when the whole accelerator does.</param>
internal sealed record DeviceAllocation(Accelerator Accelerator, nint Pointer, long Bytes, AcceleratorStream? Stream);
