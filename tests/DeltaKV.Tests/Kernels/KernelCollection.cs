namespace DeltaKV.Tests.Kernels;

/// <summary>Kernel tests share one accelerator and run one after another.</summary>
[CollectionDefinition(Name)]
public sealed class KernelCollection : ICollectionFixture<KernelFixture>
{
    public const string Name = "Kernels";
}
