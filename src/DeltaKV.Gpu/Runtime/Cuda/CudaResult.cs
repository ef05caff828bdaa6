namespace DeltaKV.Gpu.Runtime.Cuda;

/// <summary>The results of driver calls that the runtime tells apart (<c>CUresult</c>).</summary>
internal enum CudaResult
{
    Success = 0,
    InvalidValue = 1,
    OutOfMemory = 2,
    NoDevice = 100,
    EccUncorrectable = 214,
    InvalidPtx = 218,
    NvlinkUncorrectable = 220,
    NotReady = 600,
    IllegalAddress = 700,
    LaunchOutOfResources = 701,
    LaunchTimeout = 702,
    ContextIsDestroyed = 709,
    Assert = 710,
    HardwareStackError = 714,
    IllegalInstruction = 715,
    MisalignedAddress = 716,
    InvalidAddressSpace = 717,
    InvalidProgramCounter = 718,
    LaunchFailed = 719,
    GraphExecUpdateFailure = 910,
}
