namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>How a byte budget is shared among layers.</summary>
internal enum ByteAllocation
{
    /// <summary>Wherever it lowers the total error most.</summary>
    Global,

    /// <summary>Every layer gets as much.</summary>
    Equal,
}
