namespace DeltaKV.Gpu;

/// <summary>Orders this thread's memory accesses as others see them.</summary>
public static class MemoryFence
{
    /// <summary>For the threads of the group.</summary>
    [PtxInstruction("membar.cta;")]
    public static void GroupLevel() => Thread.MemoryBarrier();

    /// <summary>For the threads of the device.</summary>
    [PtxInstruction("membar.gl;")]
    public static void DeviceLevel() => Thread.MemoryBarrier();

    /// <summary>For the device, its peers and the host.</summary>
    [PtxInstruction("membar.sys;")]
    public static void SystemLevel() => Thread.MemoryBarrier();
}
