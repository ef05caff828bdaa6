using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Reading;

/// <summary>Loads tiles of raw tokens.</summary>
internal static class RawTile
{
    /// <summary>Copies the keys or values of 16 tokens of a head, 16 bytes per lane and access.</summary>
    internal static void Load<THead>(
        KvBlocks<BFloat16x8> blocks, int keyHeads, int sequence, int head, bool isValue, int position, ArrayView<UInt4> tile)
        where THead : struct, IHead
    {
        var chunks = THead.Dim / 8;
        var found = (int)blocks.RowOf(keyHeads, head, sequence, Math.Max(position, 0));
        var tokenRow = position < 0 ? -1 : found;
        var source = (isValue ? blocks.Values : blocks.Keys).Cast<UInt4>();
        for (var i = 0; i < Unroll.Full(THead.Dim / 16); i++)
        {
            var piece = Warp.LaneIdx + (32 * i);
            var row = piece / chunks;
            var chunk = piece % chunks;
            var sourceRow = Warp.Shuffle(tokenRow, row);
            var value = new UInt4(0, 0, 0, 0);
            if (sourceRow >= 0)
                value = Cached.LoadOnce(ref source[((long)sourceRow * chunks) + chunk]);
            tile[(row * (chunks + 1)) + chunk] = value;
        }
    }
}
