namespace DeltaKV.Benchmarks.Kernels;

/// <summary>One row of the table before it is measured.</summary>
/// <param name="Name">What it is, the same as in benchmarks/cuda/twins.cu.</param>
/// <param name="Bytes">Bytes that must move.</param>
/// <param name="Operations">Floating-point operations; 0 for kernels bound by memory.</param>
/// <param name="Repeat">Launches per sample.</param>
/// <param name="Prepare">Allocates in the arena and returns the launch, which is told its number to rotate through copies of its input.</param>
internal sealed record KernelCase(string Name, double Bytes, double Operations, int Repeat, Func<Arena, Action<int>> Prepare)
{
    /// <summary>How many copies of an input of this size keep it out of the L2 cache.</summary>
    internal static int CopiesOf(long bytes) => (int)Math.Clamp((256L << 20) / bytes, 1, 16);
}
