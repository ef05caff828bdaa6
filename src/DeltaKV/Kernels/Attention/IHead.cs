namespace DeltaKV.Kernels.Attention;

/// <summary>The size of an attention head as a constant of a kernel.</summary>
internal interface IHead
{
    /// <summary>Elements of a head, a multiple of 16.</summary>
    static abstract int Dim { get; }
}
