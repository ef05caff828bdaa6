namespace DeltaKV.Kernels.Attention;

/// <summary>The head sizes kernels are made for.</summary>
internal static class Heads
{
    /// <summary>64 elements.</summary>
    internal readonly struct Of64 : IHead
    {
        public static int Dim => 64;
    }

    /// <summary>80 elements.</summary>
    internal readonly struct Of80 : IHead
    {
        public static int Dim => 80;
    }

    /// <summary>96 elements.</summary>
    internal readonly struct Of96 : IHead
    {
        public static int Dim => 96;
    }

    /// <summary>128 elements.</summary>
    internal readonly struct Of128 : IHead
    {
        public static int Dim => 128;
    }
}
