using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Sampling;

/// <summary>Draws a token with probability proportional to its weight; one group works together.</summary>
internal static class TokenDraw
{
    /// <summary>The token at which the running sum, in token order, of the weights from <paramref name="cut"/> on passes the <paramref name="random"/> share.</summary>
    /// <remarks>Every warp owns a run of tokens; the warp in whose run the share falls walks it 32 tokens at a time.</remarks>
    internal static int Draw(ArrayView<uint> weights, uint cut, uint random)
    {
        var totals = SharedMemory.Allocate<ulong>(32);
        ref var chosen = ref SharedMemory.Allocate<int>();
        var warps = Group.DimX >> 5;
        var warp = Group.IdxX >> 5;
        var run = ((weights.IntLength + (32 * warps) - 1) / (32 * warps)) * 32;
        var end = Math.Min(weights.IntLength, (warp + 1) * run);
        var sum = 0ul;
        for (var i = (warp * run) + Warp.LaneIdx; i < end; i += 32)
            sum += Kept(weights[i], cut);
        for (var i = 0; i < Unroll.Full(5); i++)
            sum += Warp.ShuffleXor(sum, 1 << i);
        if (Warp.IsFirstLane)
            totals[warp] = sum;
        Group.Barrier();

        var before = 0ul;
        var all = 0ul;
        for (var w = 0; w < warps; w++)
        {
            before = w == warp ? all : before;
            all += totals[w];
        }

        // floor(all * random / 2^32) without 128 bits.
        var wanted = ((all >> 32) * random) + (((all & 0xffffffff) * random) >> 32);
        if (wanted >= before && wanted < before + sum)
            Walk(weights, cut, warp * run, end, wanted - before, ref chosen);
        Group.Barrier();
        return chosen;
    }

    private static void Walk(ArrayView<uint> weights, uint cut, int first, int end, ulong wanted, ref int chosen)
    {
        for (var start = first; start < end; start += 32)
        {
            var i = start + Warp.LaneIdx;
            var weight = i < end ? Kept(weights[i], cut) : 0;
            var through = weight;
            for (var d = 0; d < Unroll.Full(5); d++)
            {
                var other = Warp.ShuffleUp(through, 1 << d);
                through += Warp.LaneIdx >= 1 << d ? other : 0;
            }

            if (wanted < through && wanted >= through - weight)
                chosen = i;
            var total = Warp.Shuffle(through, 31);
            if (wanted < total)
                return;
            wanted -= total;
        }
    }

    private static ulong Kept(uint weight, uint cut) => weight >= cut ? weight : 0ul;
}
