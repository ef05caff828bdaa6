using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>
/// Decode attention over codes: keys are reconstructed in registers, values never. <c>s[h,p] = q[h] . RoPE(p)(mean_k + z[p] U_k) / sqrt(d)</c>,
/// <c>O[h] = sum_p e^(s[h,p] - m) z[p]</c>; <see cref="LatentCombineKernel"/> multiplies O by U_v.
/// </summary>
/// <remarks>
/// One group of eight warps per (split of the tokens, key head and up to 8 of its query heads, row); the head's up matrix stays in shared memory. A tile is 256 tokens, 32 per warp,
/// whose records are copied there while the tile before is worked on. Keys: m16n8k16 with tokens as rows, codes unpacked into operands as they come, 64 columns at a time, ordered so
/// that both halves of a rotation lie in a lane; what comes out, turned and rounded to halves, is an operand of the scores as it is. For neighbouring tokens the query is turned back
/// to the first one's position and keys only by their distance from it, so that all tiles share one small table. Values: a warp takes one sixteen of dimensions and all tokens
/// of the tile; dimensions are rows. A last group per head attends to the raw tokens.
/// Moves the record's pieces once per key head (from L2 but for the first). Operations: <c>2 keyDimensions d</c> per token and key head on the tensor cores, which is
/// what decides: 16 products take 102 cycles of a quarter of a multiprocessor, and some 50 instructions.
/// </remarks>
internal static class LatentDecodeKernel
{
    internal const int Warps = 8;
    internal const int WarpTokens = 32;
    internal const int TileTokens = Warps * WarpTokens;

    /// <summary>Sixteens of dimensions of the values that a warp adds up.</summary>
    internal interface IValueSteps
    {
        /// <summary>1 for up to 128 dimensions, 4 for up to 512.</summary>
        static abstract int PerWarp { get; }

        /// <summary>Passes of 64 columns of the keys that are reconstructed at once: 1 where registers are few.</summary>
        static abstract int Sweep { get; }
    }

    /// <summary>What references tokens have.</summary>
    internal interface IReferences
    {
        /// <summary>Bits of their elements; 0: there are none.</summary>
        static abstract int Bits { get; }
    }

    /// <summary>Where the steps of integers are.</summary>
    internal interface IScales
    {
        /// <summary>In the matrices, and offsets are integers: <see cref="LatentLayer.IsFolded"/>.</summary>
        static abstract bool AreFolded { get; }
    }

    internal static void Kernel<THead, TSteps, TScales, TReferences>(LatentArguments arguments)
        where THead : struct, IHead
        where TScales : struct, IScales
        where TReferences : struct, IReferences
        where TSteps : struct, IValueSteps
    {
        var queryGroup = new QueryGroup(arguments.QueryHeads, arguments.KeyHeads);
        var (head, firstQuery, queryCount) = (queryGroup.KeyHead, queryGroup.First, queryGroup.Count);
        var row = Grid.IdxZ;
        if (Grid.IdxX == arguments.Splits)
        {
            GridDependency.Wait();
            RawSplit.Attend<THead, RawSplit.Eight>(arguments, row, head, firstQuery, queryCount);
            return;
        }

        if (!arguments.Order.ReadsHistory(head))
        {
            GridDependency.Wait();
            NoteNothing(arguments, row, firstQuery, queryCount);
            return;
        }

        var plan = arguments.Plans[(arguments.Layer * arguments.KeyHeads) + head];
        var tables = LatentShared.Allocate<THead, TReferences>(arguments.UpPieces);
        Prepare<THead>(arguments, plan, head, tables);
        GridDependency.Wait();

        var sequence = arguments.Rows.Positions[row] < 0 ? -1 : arguments.Rows.Sequences[row];
        var tokens = new TokenRun(arguments.Order, sequence, head);
        var tiles = (tokens.Count + TileTokens - 1) / TileTokens;
        if (Grid.IdxX >= tiles)
        {
            CpAsync.WaitAll();
            NoteNothing(arguments, row, firstQuery, queryCount);
            return;
        }

        KeyTurns.LoadQueries<THead>(arguments, row, firstQuery, queryCount, tables.Queries);
        LatentTile.Copy(arguments, plan, tokens, Grid.IdxX, tables, 0);
        CpAsync.Commit();
        // Codes are on their way for up to two tiles, and where they are is known one tile earlier: in a step both come from memory, not from L2.
        var ahead = arguments.Stages - 1;
        // With room for one tile alone the keys of the next one take the place of keys that are scored, and its values that of values that are added.
        var inTurns = !TScales.AreFolded && TReferences.Bits == 0 && ahead == 0 && plan.KeyPieces > 0;
        var stageWords = TileTokens * 4 * arguments.TokenPieces;
        if (ahead == 2)
        {
            LatentTile.Copy(arguments, plan, tokens, Grid.IdxX + arguments.Splits, tables, stageWords);
            CpAsync.Commit();
            CpAsync.Wait(1);
        }
        else
        {
            CpAsync.WaitAll();
        }

        var record = LatentTile.Find(arguments, tokens, Grid.IdxX + (Math.Max(ahead, 1) * arguments.Splits));
        Group.Barrier();

        // A warp's sixteen of dimensions; few of them are shared by several warps, each taking a part of the tokens.
        var warp = Group.IdxX >> 5;
        var shareShift = plan.ValueSteps <= 1 ? 3 : plan.ValueSteps <= 2 ? 2 : plan.ValueSteps <= 4 ? 1 : 0;
        var valueStep = warp & ((Warps >> shareShift) - 1);
        var share = warp >> (3 - shareShift);
        var sums = LocalMemory.Allocate<Float4>(TSteps.PerWarp);
        for (var u = 0; u < Unroll.Full(TSteps.PerWarp); u++)
            sums[u] = default;
        var references = LocalMemory.Allocate<Float4>(4);
        for (var i = 0; i < Unroll.Full(4); i++)
            references[i] = default;
        var largest = new Float2(float.NegativeInfinity, float.NegativeInfinity);
        var total = default(Float2);
        var scores = LocalMemory.Allocate<Float4>(2);
        var hasScales = arguments.Pool.LayerCodes[arguments.Layer].ScaleWord >= 0;
        var stage = 0;
        for (var tile = Grid.IdxX; tile < tiles; tile += arguments.Splits)
        {
            var count = Math.Min(tokens.Count - (tile * TileTokens), TileTokens);
            scores[0] = new Float4(float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity);
            scores[1] = scores[0];
            if (TReferences.Bits > 0 && warp * WarpTokens < count)
            {
                LatentReferences.Find<THead, TReferences>(arguments, plan, sequence, head, tables, stage);
                Warp.Barrier();
            }

            if (warp * WarpTokens < count)
                LatentKeys.Score<THead, TSteps, TScales, TReferences>(arguments, plan, tokens, (tile * TileTokens) + (warp * WarpTokens), tables, stage, scores);
            if (arguments.Logits.AreKept)
            {
                var list = ((long)row * arguments.KeyHeads) + head;
                var first = (tile * TileTokens) + (warp * WarpTokens);
                arguments.Logits.Keep(list, queryGroup.Part, first, tokens.Count, scores[0], arguments.Scale);
                arguments.Logits.Keep(list, queryGroup.Part, first + 16, tokens.Count, scores[1], arguments.Scale);
            }

            var next = tile + (Math.Max(ahead, 1) * arguments.Splits);
            NoteMaxima(arguments.Scale, scores, tables.Maxima);
            if (inTurns)
            {
                Warp.Barrier();
                LatentTile.Copy(arguments, 0, plan.KeyPieces, tokens, next, record, tables, 0);
                CpAsync.Commit();
                // The values of this tile are there.
                CpAsync.Wait(1);
            }

            Group.Barrier();

            // Nobody reads the tile before this one any more, whose room is free.
            if (ahead > 0)
            {
                var target = stage == 0 ? ahead * stageWords : stage - stageWords;
                LatentTile.Copy(arguments, plan, tokens, next, record, tables, target);
                CpAsync.Commit();
                record = LatentTile.Find(arguments, tokens, next + arguments.Splits);
            }

            var previous = largest;
            largest = Largest(previous, tables.Maxima);
            var correction = new Float2(FastMath.Ex2(previous.X - largest.X), FastMath.Ex2(previous.Y - largest.Y));
            total = Weigh(arguments.Scale, scores, largest, new Float2(total.X * correction.X, total.Y * correction.Y), tables.Weights);
            Group.Barrier();

            var codes = tables.Codes.SubView((long)stage);
            for (var u = 0; u < Unroll.Full(TSteps.PerWarp); u++)
            {
                var sum = Softmax.ScaleColumns(sums[u], correction);
                var step = valueStep + (8 * u);
                if (step < plan.ValueSteps)
                {
                    sum = LatentValues.Add<TScales>(
                        tables.Steps[step], hasScales, count, share, 1 << shareShift, codes, WarpTokens * 4 * arguments.TokenPieces, tables.Weights, sum);
                }

                sums[u] = sum;
            }

            if (TReferences.Bits > 0)
            {
                for (var i = 0; i < Unroll.Full(4); i++)
                    references[i] = Softmax.ScaleColumns(references[i], correction);
                LatentReferences.AddValues<THead, TReferences>(arguments, head, count, tables, references);
                // Where the next tile's references are may be noted now.
                Group.Barrier();
            }

            if (ahead == 0 && next < tiles)
            {
                Group.Barrier();
                LatentTile.Copy(arguments, inTurns ? plan.KeyPieces : 0, plan.Pieces, tokens, next, record, tables, 0);
                if (inTurns)
                    CpAsync.Commit();
                record = LatentTile.Find(arguments, tokens, next + arguments.Splits);
            }

            // Of the tiles on their way, or of its values and its keys, the next one's keys are there.
            if (ahead == 2 || inTurns)
                CpAsync.Wait(1);
            else
                CpAsync.WaitAll();
            Warp.Barrier();
            stage = stage == ahead * stageWords ? 0 : stage + stageWords;
        }

        GridDependency.LaunchDependents();
        CpAsync.WaitAll();
        Group.Barrier();
        LatentFinish.Write<TSteps>(
            arguments, plan, row, firstQuery, queryCount, shareShift, sums, largest, total, tables.Maxima, tables.Up.Cast<float>());
        if (TReferences.Bits > 0)
        {
            Group.Barrier();
            LatentFinish.WriteReferences<THead>(arguments, row, firstQuery, queryCount, references, tables.Up.Cast<float>());
        }
    }

    /// <summary>A split without tokens has no weight.</summary>
    private static void NoteNothing(in LatentArguments arguments, int row, int firstQuery, int queryCount)
    {
        if (Group.IdxX >= queryCount)
            return;
        var target = ((long)row * arguments.QueryHeads) + firstQuery + Group.IdxX;
        arguments.PartialSoftmax[(target * (arguments.Splits + 1)) + Grid.IdxX] = new Float2(float.NegativeInfinity, 0f);
    }

    /// <summary>What does not depend on the step: the up matrix on its way to shared memory, the tables.</summary>
    internal static void Prepare<THead>(in LatentArguments arguments, LatentPlan plan, int head, LatentShared tables)
        where THead : struct, IHead
    {
        for (var i = Group.IdxX; i < plan.KeySteps * THead.Dim * 2; i += 32 * Warps)
            CpAsync.Copy16(ref tables.Up[i], ref arguments.Pool.Up[plan.KeyUp + i]);
        for (var i = Group.IdxX; i < plan.ValueSteps; i += 32 * Warps)
            tables.Steps[i] = arguments.Steps[plan.FirstStep + i];
        for (var i = Group.IdxX; i < plan.Pieces; i += 32 * Warps)
            tables.Pieces[i] = arguments.Pieces[plan.FirstPiece + i];
        LatentKeys.Prepare<THead>(arguments, head, tables);
        Group.Barrier();
    }

    /// <summary>Writes the largest scores of the warp's tokens by head; lane t has heads 2t and 2t + 1.</summary>
    private static void NoteMaxima(float scale, ArrayView<Float4> scores, ArrayView<Float2> maxima)
    {
        var max = Softmax.ColumnMax(new Float2(
            MathF.Max(MathF.Max(scores[0].X, scores[0].Z), MathF.Max(scores[1].X, scores[1].Z)),
            MathF.Max(MathF.Max(scores[0].Y, scores[0].W), MathF.Max(scores[1].Y, scores[1].W))));
        if (Warp.LaneIdx < 4)
            maxima[((Group.IdxX >> 5) * 4) + Warp.LaneIdx] = new Float2(max.X * scale, max.Y * scale);
    }

    private static Float2 Largest(Float2 largest, ArrayView<Float2> maxima)
    {
        for (var w = 0; w < Unroll.Full(Warps); w++)
        {
            var other = maxima[(w * 4) + (Warp.LaneIdx & 3)];
            largest = new Float2(MathF.Max(largest.X, other.X), MathF.Max(largest.Y, other.Y));
        }

        return largest;
    }

    /// <summary>Writes the weights of the warp's tokens, transposed, and adds them to the totals.</summary>
    private static Float2 Weigh(float scale, ArrayView<Float4> scores, Float2 largest, Float2 total, ArrayView<uint> weights)
    {
        var target = weights.SubView(((Warp.LaneIdx >> 2) * LatentShared.WeightStride) + ((Group.IdxX >> 5) * (WarpTokens / 2)) + (Warp.LaneIdx & 3));
        for (var half = 0; half < Unroll.Full(2); half++)
        {
            var score = Softmax.ColumnWeights(scores[half], scale, largest);
            total = new Float2(total.X + score.X + score.Z, total.Y + score.Y + score.W);
            target[8 * half] = MoveMatrix.Transpose(Half2.FromSingles(score.X, score.Y).Bits);
            target[(8 * half) + 4] = MoveMatrix.Transpose(Half2.FromSingles(score.Z, score.W).Bits);
        }

        return total;
    }
}
