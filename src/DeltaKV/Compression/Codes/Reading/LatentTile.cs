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
        var source = arguments.Pool.Records.Cast<UInt4>().SubView(Math.Max(record, 0));
        var bytes = position < 0 ? 0 : 16;
        var target = tables.Codes.SubView((long)firstWord).Cast<UInt4>().SubView((long)((warpToken * arguments.TokenPieces) + Warp.LaneIdx));
        for (var piece = 0; piece < plan.Pieces; piece++)
            CpAsync.Copy16(ref target[piece * LatentDecodeKernel.WarpTokens], ref source[tables.Pieces[piece]], bytes);
    }
}
