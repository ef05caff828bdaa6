using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>Copies what a head reads of the records of a tile into shared memory; every warp its own 32 tokens.</summary>
internal static class LatentTile
{
    /// <summary>Where the record of the lane's token of a tile is, in pieces; -1: there is none.</summary>
    internal static long Find(in LatentArguments arguments, TokenRun tokens, int tile)
    {
        var position = tokens.SlotAt((tile * LatentDecodeKernel.TileTokens) + Group.IdxX);
        var record = arguments.Pool.RecordOf(arguments.Pool.LayerCodes[arguments.Layer], tokens.Sequence, Math.Max(position, 0)) >> 2;
        return position < 0 ? -1 : record;
    }

    /// <summary>Starts the copies. Tokens past the end become zeros, which every scale turns into finite values.</summary>
    internal static void Copy(in LatentArguments arguments, LatentPlan plan, TokenRun tokens, int tile, LatentShared tables, int firstWord) =>
        Copy(arguments, plan, tokens, tile, Find(arguments, tokens, tile), tables, firstWord);

    /// <summary>Starts the copies of records that were found before.</summary>
    internal static void Copy(in LatentArguments arguments, LatentPlan plan, TokenRun tokens, int tile, long record, LatentShared tables, int firstWord) =>
        Copy(arguments, 0, plan.Pieces, tokens, tile, record, tables, firstWord);

    /// <summary>Starts the copies of some pieces of theirs.</summary>
    internal static void Copy(
        in LatentArguments arguments, int firstPiece, int endPiece, TokenRun tokens, int tile, long record, LatentShared tables, int firstWord)
    {
        var warpToken = (Group.IdxX >> 5) * LatentDecodeKernel.WarpTokens;
        if ((tile * LatentDecodeKernel.TileTokens) + warpToken >= tokens.Count)
            return;
        var source = arguments.Pool.Records.Cast<UInt4>().SubView(Math.Max(record, 0));
        var bytes = record < 0 ? 0 : 16;
        var target = tables.Codes.SubView((long)firstWord).Cast<UInt4>().SubView((long)((warpToken * arguments.TokenPieces) + Warp.LaneIdx));
        for (var piece = firstPiece; piece < endPiece; piece++)
            CpAsync.Copy16(ref target[piece * LatentDecodeKernel.WarpTokens], ref source[tables.Pieces[piece]], bytes);
    }
}
