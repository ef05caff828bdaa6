namespace DeltaKV.Kernels.Attention;

/// <summary>The ranges kernels are made for.</summary>
internal static class KeyRanges
{
    /// <summary>Every slot.</summary>
    internal readonly struct Whole : IKeyRange
    {
        public static bool HasStart => false;

        public static bool IsObserved => false;

        public static bool IsPart => false;
    }

    /// <summary>Slots from the sequence's start on.</summary>
    internal readonly struct FromStart : IKeyRange
    {
        public static bool HasStart => true;

        public static bool IsObserved => false;

        public static bool IsPart => false;
    }

    /// <summary>Every slot, of an observed layer.</summary>
    internal readonly struct Observed : IKeyRange
    {
        public static bool HasStart => false;

        public static bool IsObserved => true;

        public static bool IsPart => false;
    }

    /// <summary>Slots of a part of a prompt's history; the parts before it left their sums behind.</summary>
    internal readonly struct Part : IKeyRange
    {
        public static bool HasStart => false;

        public static bool IsObserved => false;

        public static bool IsPart => true;
    }
}
