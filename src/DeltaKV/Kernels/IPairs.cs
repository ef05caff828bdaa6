namespace DeltaKV.Kernels;

/// <summary>Two neighbouring elements of some storage type, as kernels that serve both bf16 and fp32 see them.</summary>
/// <typeparam name="TPair">What lies in memory.</typeparam>
internal interface IPairs<TPair>
    where TPair : unmanaged
{
    /// <summary>The first element.</summary>
    static abstract float First(TPair pair);

    /// <summary>The second element.</summary>
    static abstract float Second(TPair pair);

    /// <summary>Rounds two numbers to the storage type.</summary>
    static abstract TPair Pack(float first, float second);
}
