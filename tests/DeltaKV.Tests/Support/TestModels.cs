namespace DeltaKV.Tests.Support;

/// <summary>Where the models of this repository are.</summary>
internal static class TestModels
{
    internal static string Needle { get; } = RepositoryRoot.PathTo("models", "needle-16m");
}
