namespace DeltaKV.Testing;

/// <summary>What a kernel test runs on. An enum, so that each device is a test case with a name.</summary>
public enum TestDevice
{
    /// <summary>The CPU accelerator.</summary>
    Cpu,

    /// <summary>The CPU accelerator checking every access and barrier.</summary>
    Sanitizer,

    /// <summary>The first GPU.</summary>
    Cuda,
}
