namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Which layers subtract references from a token before it is coded; the others subtract the mean.</summary>
internal enum ReferenceUse
{
    /// <summary>None.</summary>
    None,

    /// <summary>Those where it leaves less error at equal bytes, references and their ids counted.</summary>
    Auto,

    /// <summary>All.</summary>
    All,
}
