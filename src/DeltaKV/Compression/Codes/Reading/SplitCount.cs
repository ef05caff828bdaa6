namespace DeltaKV.Compression.Codes.Reading;

/// <summary>
/// How many groups share the history of a row and head. The device runs so many groups at once, in waves; one group too many is a wave more, and each group has a start of its own.
/// </summary>
/// <remarks>
/// Of <c>s</c> splits of <c>p</c> histories on a device with room for <c>g</c> groups: <c>ceil(p s / g) (t / s + 1)</c>, t tiles of a history, a start about as long as a tile. Seventeen rows of eight heads
/// on 132 multiprocessors that hold one group each take two waves whole, and four waves of thirds. The number must not depend on lengths, so that graphs can be kept: t is that of 8k tokens; for
/// longer ones more splits would be a little better, for shorter ones fewer.
/// </remarks>
internal static class SplitCount
{
    private const int Tiles = 32;
    private const int MostWaves = 4;

    // Splits that fit in one wave from which on a second wave does not pay.
    private const int EnoughInOneWave = 6;

    /// <summary>The best number of splits.</summary>
    /// <param name="histories">Rows times heads that are read.</param>
    /// <param name="groups">Groups that the device runs at once.</param>
    /// <param name="most">The most splits.</param>
    internal static int Best(int histories, int groups, int most)
    {
        var best = Math.Clamp(groups / histories, 1, most);
        if (best >= EnoughInOneWave)
            return best;
        for (var splits = best + 1; splits <= most && (long)splits * histories <= (long)MostWaves * groups; splits++)
        {
            if (Time(histories, groups, splits) < Time(histories, groups, best))
                best = splits;
        }

        return best;
    }

    /// <summary>At least as many as there are splits of so many rows together, whatever the device, if it runs no more groups at once.</summary>
    /// <param name="rows">The most rows.</param>
    /// <param name="heads">The fewest heads of a row that are read.</param>
    /// <param name="groups">The most groups that a device runs at once.</param>
    internal static long Most(int rows, int heads, int groups)
    {
        // Where there are several waves, one holds fewer splits than are enough.
        var oneWave = Math.Max(rows, groups / heads);
        return Math.Max(oneWave, Math.Min((long)EnoughInOneWave * MostWaves * rows, (long)MostWaves * groups / heads));
    }

    /// <summary>Time in tiles that a multiprocessor reads.</summary>
    internal static double Time(int histories, int groups, int splits) =>
        Math.Ceiling((double)histories * splits / groups) * (((double)Tiles / splits) + 1);
}
