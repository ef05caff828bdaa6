namespace DeltaKV.Kernels.Sampling;

/// <summary>What a search of the ranking looks for: the shortest run of leading tokens that reaches a weight.</summary>
internal interface IRankTarget
{
    /// <summary>Whether every token weighs one; its probability otherwise.</summary>
    static abstract bool Counts { get; }

    /// <summary>Whether the last token of the run is wanted itself, not just a rank that ends the run.</summary>
    static abstract bool WantsToken { get; }

    /// <summary>The weight to reach, 1 to <paramref name="total"/>.</summary>
    static abstract ulong Of(ulong total, ulong parameter);
}

/// <summary>That many tokens.</summary>
internal readonly struct CountTarget : IRankTarget
{
    public static bool Counts => true;

    public static bool WantsToken => false;

    public static ulong Of(ulong total, ulong parameter) => parameter < total ? parameter : total;
}

/// <summary>A share of the probability, in units of 2^-32, rounded up.</summary>
internal readonly struct ShareTarget : IRankTarget
{
    public static bool Counts => false;

    public static bool WantsToken => false;

    public static ulong Of(ulong total, ulong parameter)
    {
        var low = (total & uint.MaxValue) * parameter;
        return ((total >> 32) * parameter) + (low >> 32) + ((uint)low == 0 ? 0UL : 1UL);
    }
}

/// <summary>A point of the probability drawn with 64 random bits: the token it falls on.</summary>
internal readonly struct DrawTarget : IRankTarget
{
    public static bool Counts => false;

    public static bool WantsToken => true;

    public static ulong Of(ulong total, ulong parameter)
    {
        // total * parameter / 2^64 without the product of the low words, which is less than one unit.
        ulong high = total >> 32, low = total & uint.MaxValue;
        return (high * (parameter >> 32)) + ((low * (parameter >> 32)) >> 32) + ((high * (parameter & uint.MaxValue)) >> 32) + 1;
    }
}
