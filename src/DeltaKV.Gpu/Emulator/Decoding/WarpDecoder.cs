namespace DeltaKV.Gpu.Emulator;

/// <summary>Instructions by which the lanes of a warp exchange values.</summary>
internal static unsafe class WarpDecoder
{
    public static void Decode(ProgramBuilder b, PtxInstruction i) => throw i.Unsupported();
}
