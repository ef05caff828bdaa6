using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>Unpacks codes of listed tokens: <c>z[i] = step integer[i] + zero</c>, dimensions in their own order.</summary>
/// <remarks>
/// Shapes: z <c>[tokens, pitch]</c> halves, the dimensions of one group from a column on. One warp per token, a lane takes two neighbouring dimensions at a time. Reads a record and writes 2 bytes per dimension:
/// bound by memory. Tokens that are not there become zeros.
/// </remarks>
internal sealed class LatentKernel(Accelerator accelerator)
{
    private const int Warps = 4;

    private readonly KernelHandle<Arguments> unpack = new(accelerator, Kernel);

    internal void Launch(
        AcceleratorStream stream, CodePoolView pool, int layer, int part, int dimensions, ArrayView<DecodeToken> tokens, ArrayView<uint> latents, int pitch, int firstColumn, int count) => unpack.Launch(
        stream,
        new KernelConfig((count + Warps - 1) / Warps, 32 * Warps),
        new Arguments
        {
            Pool = pool, Layer = layer, Part = part, Pairs = dimensions / 2, Tokens = tokens, Latents = latents, PitchPairs = pitch / 2, FirstPair = firstColumn / 2, Count = count,
        });

    private static void Kernel(Arguments arguments)
    {
        var index = (Grid.IdxX * Warps) + (Group.IdxX >> 5);
        if (index >= arguments.Count)
            return;
        var token = arguments.Tokens[index];
        var code = arguments.Pool.LayerCodes[arguments.Layer];
        var part = arguments.Pool.PartCodes[(arguments.Layer * 2 * arguments.Pool.KeyHeads) + arguments.Part];
        var record = token.Position < 0 ? 0 : arguments.Pool.RecordOf(code, token.Sequence, token.Position);
        var target = arguments.Latents.SubView(((long)index * arguments.PitchPairs) + arguments.FirstPair, arguments.Pairs);
        for (var pair = Warp.LaneIdx; pair < arguments.Pairs; pair += 32)
            target[pair] = token.Position < 0 ? 0 : Pair(arguments.Pool, code, part, record, 2 * pair);
    }

    /// <summary>Two dimensions of a group; sections of one width follow each other, the widest first.</summary>
    private static uint Pair(CodePoolView pool, LayerCode code, PartCode part, long record, int dimension)
    {
        var word = record + part.FirstWord;
        if (dimension < 16 * part.WidePairs)
            return pool.Records[word + (dimension >> 1)];
        dimension -= 16 * part.WidePairs;
        word += 8 * part.WidePairs;
        var scale = part.FirstScale;
        if (dimension < 16 * part.ByteChunks)
            return Integers(pool, code, record, word, scale, dimension, 8, 0x00ff00ff, 128f);
        dimension -= 16 * part.ByteChunks;
        word += 4 * part.ByteChunks;
        scale += part.ByteChunks;
        if (dimension < 32 * part.NibbleChunks)
            return Integers(pool, code, record, word, scale, dimension, 4, 0x000f000f, 8f);
        dimension -= 32 * part.NibbleChunks;
        word += 4 * part.NibbleChunks;
        scale += part.NibbleChunks;
        if (dimension < 64 * part.OctalChunks)
            return Octals(pool, code, record, word, part.FirstTail, scale, dimension);
        dimension -= 64 * part.OctalChunks;
        word += 4 * part.OctalChunks;
        scale += part.OctalChunks;
        return Integers(pool, code, record, word, scale, dimension, 2, 0x00030003, 1.5f);
    }

    private static uint Integers(CodePoolView pool, LayerCode code, long record, long word, int scale, int dimension, int bits, uint mask, float offset)
    {
        var perWord = 32 / bits;
        var stored = pool.Records[word + (dimension / perWord)] >> (bits * ((dimension % perWord) >> 1));
        return CodeWord.Masked(stored, mask, Scale(pool, code, record, scale + (dimension / (4 * perWord)), offset));
    }

    /// <summary>Cells of 3 bits: the lower four pairs of a word lie in it, the upper four in what it and a tail make.</summary>
    private static uint Octals(CodePoolView pool, LayerCode code, long record, long word, int tail, int scale, int dimension)
    {
        var chunk = dimension / 64;
        var lane = dimension % 64 / 16;
        var pair = dimension % 16 / 2;
        var stored = pool.Records[word + (4 * chunk) + lane];
        if (pair >= 4)
            stored = CodeWord.UpperOctals(stored, pool.Records[record + tail + (2 * chunk) + (lane >> 1)], lane);
        return CodeWord.Masked(stored >> (3 * (pair & 3)), 0x00070007, Scale(pool, code, record, scale + chunk, 4f));
    }

    /// <summary>(step, zero) of a chunk; where none are stored, the step is 1 and integers are offset by half their range.</summary>
    private static uint Scale(CodePoolView pool, LayerCode code, long record, int scale, float offset) =>
        code.ScaleWord < 0 ? Half2.FromSingles(1f, -offset).Bits : pool.Records[record + code.ScaleWord + (scale * code.ScaleStride)];

    private struct Arguments
    {
        public CodePoolView Pool;
        public int Layer;
        public int Part;
        public int Pairs;
        public ArrayView<DecodeToken> Tokens;
        public ArrayView<uint> Latents;
        public int PitchPairs;
        public int FirstPair;
        public int Count;
    }
}
