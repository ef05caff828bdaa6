namespace DeltaKV.Gpu;

/// <summary>Marks a member the kernel compiler replaces by its own code; it is recognised by declaring type and name.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property | AttributeTargets.Constructor | AttributeTargets.Struct)]
internal sealed class KernelIntrinsicAttribute : Attribute;
