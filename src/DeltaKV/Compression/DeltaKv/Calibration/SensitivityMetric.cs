namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>What an error in kv is measured by.</summary>
internal enum SensitivityMetric
{
    /// <summary>By what attention makes of it, see <see cref="AttentionSensitivity"/>.</summary>
    Attention,

    /// <summary>By its own square: plain principal components.</summary>
    None,
}
