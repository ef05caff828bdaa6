using DeltaKV.Compression.Codes.Hot;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>The selected tokens that the hot set has not, those of all sequences without gaps.</summary>
/// <param name="kernel">Writes it.</param>
/// <param name="rows">The rows that read.</param>
/// <param name="maps">What the plan says.</param>
/// <param name="slots">The layer's slots; keys and values do not matter.</param>
/// <param name="rowCount">Rows.</param>
internal readonly struct MissList(MissListKernel kernel, TokenRows rows, HotMaps maps, KvBlocks<BFloat16> slots, int rowCount) : ITokenList
{
    public void Write(AcceleratorStream stream, ArrayView<DecodeToken> tokens, int first, int count) =>
        kernel.Launch(stream, rows, maps, slots.Tables, slots.TableStride, slots.BlockShift, rowCount, tokens, first, count);
}
