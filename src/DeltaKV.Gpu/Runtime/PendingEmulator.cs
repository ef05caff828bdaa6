namespace DeltaKV.Gpu.Emulator;

// Stands in until src/DeltaKV.Gpu/Emulator lands; whoever lands it deletes this file.
internal interface IMemoryMap
{
    bool Contains(nuint address, int bytes);

    string Describe(nuint address);
}

internal readonly record struct Dim3(int X, int Y = 1, int Z = 1);

internal sealed class EmulatorOptions
{
    public int Threads { get; init; } = 1;

    public bool Sanitize { get; init; }

    public IMemoryMap? Memory { get; init; }
}

internal sealed record PtxEntry(int StaticSharedBytes, int LocalBytes);

internal sealed record PtxModule(string Text)
{
    internal static PtxModule Parse(string ptx) => new(ptx);

    internal PtxEntry Entry(string name) => throw new NotSupportedException($"The emulator has not landed; {name} cannot run ({Text.Length} characters).");
}

internal static unsafe class EmulatorLauncher
{
    internal static void Launch(PtxEntry entry, Dim3 grid, Dim3 block, int dynamicSharedBytes, void** args, EmulatorOptions options) =>
        throw new NotSupportedException($"The emulator has not landed: {entry}, {grid}, {block}, {dynamicSharedBytes}, {(nint)args}, {options.Threads}.");
}
