namespace DeltaKV.Gpu.Compiler.Frontend;

/// <summary>The null reference, as C# compares a lambda's cache with.</summary>
internal sealed class Absent
{
    public static readonly Absent Instance = new();
}
