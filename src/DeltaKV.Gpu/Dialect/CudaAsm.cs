namespace DeltaKV.Gpu;

/// <summary>Inline PTX as ILGPU writes it: <c>%0</c>, <c>%1</c>, ... name the arguments in order, an output among them first.</summary>
public static partial class CudaAsm
{
    /// <summary>Whether inline PTX can run; here always, on the GPU and on the CPU accelerator.</summary>
    public static bool IsSupported => true;

    /// <summary>Writes PTX instructions into the kernel.</summary>
    public static void Emit(string asm) => throw KernelOnlyException.Here();
}
