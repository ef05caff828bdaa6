namespace DeltaKV.Gpu.Compiler.Frontend;

/// <summary>A register array met an index that is not a constant; the kernel is compiled again with that array in local memory.</summary>
internal sealed class RegisterArrayException(ArraySite site) : Exception
{
    public ArraySite Site { get; } = site;
}
