namespace DeltaKV.Evaluation.Ruler;

/// <summary>What needles are hidden in.</summary>
internal enum NeedleHay
{
    /// <summary>Five sentences, over and over.</summary>
    Noise,

    /// <summary>Other needles, none of which is asked for.</summary>
    Needles,

    /// <summary>Prose.</summary>
    Essay,
}
