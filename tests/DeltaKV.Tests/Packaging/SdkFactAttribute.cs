namespace DeltaKV.Tests.Packaging;

/// <summary>A test that builds; skipped where there is a .NET runtime only, such as on a GPU machine.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SdkFactAttribute : FactAttribute
{
    public SdkFactAttribute() => Skip = DotNetSdk.Host is null ? "There is no .NET SDK here." : null;
}
