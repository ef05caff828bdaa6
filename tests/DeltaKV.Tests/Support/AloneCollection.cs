namespace DeltaKV.Tests.Support;

/// <summary>Tests that measure what the whole process shares: they run one after another, and beside no other test.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "Alone";
}
