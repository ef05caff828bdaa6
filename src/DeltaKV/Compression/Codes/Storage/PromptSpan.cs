using DeltaKV.Cache;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>A prompt chunk of a step.</summary>
/// <param name="Sequence">Row of the tables.</param>
/// <param name="Length">Tokens of its sequence, the chunk included.</param>
/// <param name="FirstTile">Its first tile among the step's.</param>
/// <param name="Tiles">How many it has.</param>
internal readonly record struct PromptSpan(int Sequence, int Length, int FirstTile, int Tiles)
{
    /// <summary>The prompts of a step; sequences with one row decode and have no tiles.</summary>
    internal static void Find(ReadOnlySpan<SequenceStep> steps, List<PromptSpan> prompts)
    {
        prompts.Clear();
        var tile = 0;
        for (var i = 0; i < steps.Length; i++)
        {
            if (steps[i].Rows == 1)
                continue;
            var tiles = PrefillTile.CountOf(steps[i].Rows);
            prompts.Add(new PromptSpan(i, steps[i].Cache.Length + steps[i].Rows, tile, tiles));
            tile += tiles;
        }
    }
}
