using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>Copies what a head reads of the records of a tile into shared memory; every warp its own 32 tokens.</summary>
internal static class LatentTile
{
    /// <summary>Starts the copies. Tokens past the end become zeros, which every scale turns into finite values.</summary>
    internal static void Copy(in LatentArguments arguments, LatentPlan plan, TokenRun tokens, int tile, LatentShared tables, int firstWord)
    {
        var warpToken = (Group.IdxX >> 5) * LatentDecodeKernel.WarpTokens;
        var first = (tile * LatentDecodeKernel.TileTokens) + warpToken;
        if (first >= tokens.Count)
            return;
        var position = tokens.PositionAt(first + Warp.LaneIdx);
        var record = arguments.Pool.RecordOf(arguments.Pool.LayerCodes[arguments.Layer], tokens.Sequence, Math.Max(position, 0)) >> 2;
        record = position < 0 ? -1 : record;
        var source = arguments.Pool.Records.Cast<UInt4>();
        var target = tables.Codes.SubView((long)firstWord).Cast<UInt4>().SubView((long)warpToken * arguments.TokenPieces);
        // token = i / pieces for i < 32 pieces, exact up to 45 of them.
        var reciprocal = (65536 / plan.Pieces) + 1;
        for (var round = 0; round < plan.Pieces; round++)
        {
            var i = (round * 32) + Warp.LaneIdx;
            var token = (i * reciprocal) >> 16;
            var piece = i - (token * plan.Pieces);
            var from = Warp.Shuffle(record, token);
            CpAsync.Copy16(ref target[(token * arguments.TokenPieces) + piece], ref source[Math.Max(from, 0) + tables.Pieces[piece]], from < 0 ? 0 : 16);
        }
    }
}
