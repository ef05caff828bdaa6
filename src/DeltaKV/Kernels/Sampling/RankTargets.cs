namespace DeltaKV.Kernels.Sampling;

/// <summary>What a search of the ranking looks for: the shortest run of leading tokens that reaches a weight.</summary>
internal interface IRankTarget
{
    /// <summary>Whether every token weighs one; its probability otherwise.</summary>
    static abstract bool Counts { get; }

    /// <summary>The weight to reach, 1 to <paramref name="total"/>.</summary>
    static abstract ulong Of(ulong total, ulong parameter);
}

/// <summary>That many tokens.</summary>
internal readonly struct CountTarget : IRankTarget
{
    public static bool Counts => true;

    public static ulong Of(ulong total, ulong parameter) => parameter < total ? parameter : total;
}

/// <summary>A share of the probability, in units of 2^-32, rounded up.</summary>
internal readonly struct ShareTarget : IRankTarget
{
    public static bool Counts => false;

    public static ulong Of(ulong total, ulong parameter)
    {
        var low = (total & uint.MaxValue) * parameter;
        return ((total >> 32) * parameter) + (low >> 32) + ((uint)low == 0 ? 0UL : 1UL);
    }
}
