namespace DeltaKV.Kernels.Attention;

/// <summary>Which slots of a sequence attention reads, decided when a kernel is compiled: all of them, those from a start on, a part after the other, or all with an observer looking on.</summary>
internal interface IKeyRange
{
    /// <summary>Whether <see cref="KvBlocks{T}.Starts"/> is there.</summary>
    static abstract bool HasStart { get; }

    /// <summary>Whether the layer is observed: scores are left behind where <see cref="DecodeArguments.Logits"/> says, softmax denominators too.</summary>
    static abstract bool IsObserved { get; }

    /// <summary>Whether attention of a prompt stops and goes on between parts of its keys, as <see cref="PrefillArguments.Part"/> says.</summary>
    static abstract bool IsPart { get; }
}
