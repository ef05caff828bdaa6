using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>Turns coded tokens of layers whose decoder has a hidden layer into raw rows, so many at a time: list, unpack, two products, restore.</summary>
/// <remarks>
/// What lies between the kernels, 2 bytes per dimension, feature and element of a token, is bounded; how many tokens there are may be known to the device alone, then whole tiles of none end at once. Nothing waits,
/// and what is launched depends on the number of entries only.
/// </remarks>
internal sealed class Reconstructor : IDisposable
{
    private const long WorkspaceBytes = 128 << 20;

    private readonly CodedKvFormat format;
    private readonly DecoderTables tables;
    private readonly LatentKernel unpack;
    private readonly DecoderProduct product;
    private readonly RestoreKernel restore;
    private readonly int chunk;
    private readonly DeviceBuffers buffers;
    private readonly ArrayView<DecodeToken> tokens;
    private readonly ArrayView<uint> latents;
    private readonly ArrayView<uint> features;
    private readonly ArrayView<uint> decoded;

    /// <param name="accelerator">Where it runs.</param>
    /// <param name="format">The codecs.</param>
    /// <param name="maxTokens">The most entries of a list.</param>
    /// <param name="workspaceBytes">The most that lies between kernels, unless 128 tokens take more; null: as much as is planned for.</param>
    internal Reconstructor(Accelerator accelerator, CodedKvFormat format, int maxTokens, long? workspaceBytes = null)
    {
        this.format = format;
        buffers = new DeviceBuffers(accelerator);
        tables = new DecoderTables(accelerator, format.Codecs);
        (unpack, product, restore) = (new(accelerator), new(accelerator), new(accelerator));
        chunk = Chunk(format, maxTokens, workspaceBytes ?? WorkspaceBytes);
        var (dimensions, hidden) = Widths(format);
        tokens = buffers.Allocate<DecodeToken>(chunk);
        latents = buffers.Allocate<uint>((long)chunk * dimensions / 2);
        features = buffers.Allocate<uint>((long)chunk * hidden / 2);
        decoded = buffers.Allocate<uint>((long)chunk * Width / 2);
    }

    private int Width => 2 * format.Shape.KeyHeads * format.Shape.HeadDim;

    /// <summary>What it allocates besides the decoders' matrices.</summary>
    internal static long WorkBytes(CodedKvFormat format, int maxTokens) => Chunk(format, maxTokens, WorkspaceBytes) * TokenBytes(format);

    /// <summary>Reconstructs the tokens of a list in a layer; rows go to the slots that it says.</summary>
    internal void Run<TList>(AcceleratorStream stream, CodePoolView pool, int layer, TList list, int entries, KvBlocks<BFloat16> target)
        where TList : struct, ITokenList
    {
        for (var first = 0; first < entries; first += chunk)
        {
            var count = Math.Min(chunk, entries - first);
            list.Write(stream, tokens, first, count);
            Decode(stream, pool, layer, count);
            restore.Launch(stream, pool, layer, format.Shape.HeadDim, tokens, decoded, target, count);
        }
    }

    public void Dispose()
    {
        tables.Dispose();
        buffers.Dispose();
    }

    private void Decode(AcceleratorStream stream, CodePoolView pool, int layer, int count)
    {
        var groups = tables.Layer(layer);
        var last = groups[^1];
        var (dimensions, hidden) = (last.FirstDimension + last.Dimensions, last.FirstFeature + last.Features);
        foreach (var group in groups)
        {
            unpack.Launch(stream, pool, layer, group.Part, group.Dimensions, tokens, latents, dimensions, group.FirstDimension, count);
            product.Launch(stream, group.Activation, new DecoderOperands
            {
                Tokens = tokens,
                Inputs = latents.Cast<UInt4>().SubView(group.FirstDimension / 8),
                InputPitch = dimensions / 8,
                Chunks = group.Dimensions / 8,
                Weights = group.Hidden,
                Biases = group.Biases,
                Outputs = features.SubView(group.FirstFeature / 2),
                OutputPitch = hidden / 2,
                Columns = group.Features,
                Count = count,
            });
            product.Launch(stream, null, new DecoderOperands
            {
                Tokens = tokens,
                Inputs = features.Cast<UInt4>().SubView(group.FirstFeature / 8),
                InputPitch = hidden / 8,
                Chunks = group.Features / 8,
                Weights = group.Up,
                Outputs = decoded.SubView(group.FirstElement / 2),
                OutputPitch = Width / 2,
                Columns = group.Length,
                Count = count,
            });
        }
    }

    /// <summary>Entries of a pass: whole tiles of products.</summary>
    private static int Chunk(CodedKvFormat format, int maxTokens, long workspaceBytes)
    {
        const int Tile = DecoderProduct.TileTokens;
        var all = CodedKvFormat.Blocks(maxTokens, Tile) * (long)Tile;
        return (int)Math.Clamp(workspaceBytes / TokenBytes(format) / Tile * Tile, Tile, Math.Max(all, Tile));
    }

    private static long TokenBytes(CodedKvFormat format)
    {
        var (dimensions, hidden) = Widths(format);
        return (sizeof(ushort) * ((long)dimensions + hidden + (2 * format.Shape.KeyHeads * format.Shape.HeadDim))) + (3 * sizeof(int));
    }

    private static (int Dimensions, int Features) Widths(CodedKvFormat format)
    {
        var codecs = format.Codecs.Where(codec => codec.HasHiddenDecoder).ToArray();
        return (codecs.Max(DecoderTables.DimensionsOf), codecs.Max(DecoderTables.FeaturesOf));
    }
}
