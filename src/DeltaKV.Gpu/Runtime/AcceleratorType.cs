namespace DeltaKV.Gpu;

/// <summary>What executes the kernels of an accelerator.</summary>
public enum AcceleratorType
{
    /// <summary>The PTX emulator on the processor.</summary>
    CPU,

    /// <summary>An NVIDIA GPU.</summary>
    Cuda,
}
