namespace DeltaKV.Gpu;

/// <summary>Why there is no GPU to use.</summary>
public enum CudaUnavailableReason
{
    /// <summary>The driver library is not installed.</summary>
    LibraryNotFound,

    /// <summary>The driver is older than the PTX we emit.</summary>
    DriverTooOld,

    /// <summary>The driver sees no device.</summary>
    NoDevice,

    /// <summary>The driver could not be initialised.</summary>
    InitializationFailed,
}
