using System.Runtime.InteropServices;
using DeltaKV.Tests.Support;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Model;

/// <summary>What Transformers answers with needle-16m in float32, token by token (tools/golden/make_needle_answers.py).</summary>
/// <param name="Number">Its place in the fixture.</param>
/// <param name="Prompt">A document and a question.</param>
/// <param name="Tokens">The greedy answer, its end token included.</param>
/// <param name="Margins">By how much every token's logit was ahead of the next best.</param>
internal sealed record NeedleAnswer(int Number, int[] Prompt, int[] Tokens, float[] Margins)
{
    /// <summary>All of them.</summary>
    internal static IReadOnlyList<NeedleAnswer> Load()
    {
        using var file = SafetensorsFile.Open(RepositoryRoot.Fixture("needle-answers.safetensors"));
        var prompts = MemoryMarshal.Cast<short, ushort>(file.Values<short>(file.Tensors["prompts"]));
        var lengths = file.Values<long>(file.Tensors["promptLengths"]);
        var tokens = file.Values<long>(file.Tensors["answers"]);
        var margins = file.Values<float>(file.Tensors["margins"]);
        var width = tokens.Length / lengths.Length;
        var result = new List<NeedleAnswer>();
        for (var (i, start) = (0, 0); i < lengths.Length; start += (int)lengths[i++])
        {
            int[] answer = [.. tokens.Slice(i * width, width).ToArray().TakeWhile(token => token >= 0).Select(token => (int)token)];
            int[] prompt = [.. prompts.Slice(start, (int)lengths[i]).ToArray().Select(token => (int)token)];
            result.Add(new NeedleAnswer(i, prompt, answer, margins.Slice(i * width, answer.Length).ToArray()));
        }

        return result;
    }
}
