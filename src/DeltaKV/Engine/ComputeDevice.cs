namespace DeltaKV.Engine;

/// <summary>Where a model runs.</summary>
public enum ComputeDevice
{
    /// <summary>A GPU if there is one, otherwise the processor.</summary>
    Auto,

    /// <summary>The processor.</summary>
    Cpu,

    /// <summary>An NVIDIA GPU; loading fails without one.</summary>
    Cuda,
}
