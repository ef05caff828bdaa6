using System.Globalization;
using System.Numerics.Tensors;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;

namespace DeltaKV.Compression.CompressKv;

/// <summary>Finds a model's semantic retrieval heads, and how much each layer loses when it keeps little.</summary>
/// <remarks>
/// Two passes over the prompts, with the full cache. The first scores heads (<see cref="SemanticRetrievalHeads"/>). The second lets every layer keep
/// <see cref="LayerBudgets.Minimum"/> tokens, chosen by its best heads at the end of the prompt, and compares the layer's output after W_O with the
/// full one at every token of the answer; only the full output goes on, so that layers do not answer for each other's losses.
/// </remarks>
internal sealed class CompressKvCalibrator(IAnsweringModel model, IProgress<EvaluationProgress>? progress = null)
{
    private readonly AttentionGeometry[] _geometry = [.. Enumerable.Range(0, model.Fingerprint.Layers).Select(model.Geometry)];

    /// <summary>Calibrates.</summary>
    /// <exception cref="EvaluationException">The model answered too few prompts to tell its heads apart.</exception>
    public CompressKvProfile Run(RetrievalCorpus corpus, CancellationToken cancellation = default)
    {
        var prompts = corpus.Prompts(model.Tokenizer).ToArray();
        var (layers, queryHeads) = (_geometry.Length, _geometry[0].Heads);
        var heads = new SemanticRetrievalHeads(layers, queryHeads);
        var answered = new List<RetrievalPrompt>();
        for (var i = 0; i < prompts.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Score(prompts[i], heads))
                answered.Add(prompts[i]);
            progress?.Report(new EvaluationProgress(i + 1, 2 * prompts.Length, $"heads: {prompts[i].Name}"));
        }

        if (answered.Count == 0)
        {
            throw new EvaluationException(
                $"The model answered none of {prompts.Length} needle prompts ({corpus.Description}), so nothing can be told of its heads. "
                + "Ask in a way that it knows: other kinds of prompts, or shorter ones.");
        }

        var chosen = heads.Top(CompressKvProfile.HeadsOf(queryHeads));
        var errors = new double[layers];
        for (var i = 0; i < answered.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            AddErrors(answered[i], chosen, errors);
            progress?.Report(new EvaluationProgress(
                prompts.Length + (i + 1) * prompts.Length / answered.Count, 2 * prompts.Length, $"layers: {answered[i].Name}"));
        }

        return new CompressKvProfile
        {
            Model = model.Fingerprint,
            Layers = [.. Enumerable.Range(0, layers).Select(layer => new CompressKvLayer(
                chosen[layer], [.. Enumerable.Range(0, queryHeads).Select(head => Rounded(heads.Score(layer, head)))], Rounded(errors[layer])))],
            Report = string.Create(CultureInfo.InvariantCulture, $"{answered.Count} of {prompts.Length} prompts answered: {corpus.Description}"),
        };
    }

    /// <summary>Seven digits are more than such scores mean, and survive other summation orders of other devices better.</summary>
    private static double Rounded(double value) => double.Parse(value.ToString("G7", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private bool Score(RetrievalPrompt prompt, SemanticRetrievalHeads heads)
    {
        var queryHeads = _geometry[0].Heads;
        var mass = new double[_geometry.Length * queryHeads];
        var captured = new (ReadOnlyMemory<float> Rows, ReadOnlyMemory<float> Queries)[_geometry.Length];
        var answer = model.Answer(prompt.Tokens, prompt.MaximumTokens, WindowSelection.Window, (layer, rows, queries) => captured[layer] = (rows, queries));
        var counted = SemanticRetrievalHeads.Counted(answer, prompt.Tokens.AsSpan(prompt.Needle), token => model.Tokenizer.Decode([token]));
        for (var layer = 0; layer < captured.Length; layer++)
        {
            var attention = new LayerAttention(_geometry[layer], captured[layer].Rows);
            var queries = captured[layer].Queries;
            Parallel.For(0, queryHeads, head =>
            {
                for (var i = 0; i < answer.Length; i++)
                {
                    if (!counted[i])
                        continue;
                    // The query before an answer token chose it.
                    var probabilities = attention.Probabilities(
                        head, Query(layer, queries, WindowSelection.Window - 1 + i), prompt.Tokens.Length - 1 + i);
                    mass[layer * queryHeads + head] += SemanticRetrievalHeads.SpanMass(prompt.Needle, probabilities);
                }
            });
        }

        return heads.Add(model.Tokenizer.Decode(answer), prompt.Answer, mass);
    }

    private void AddErrors(RetrievalPrompt prompt, int[][] chosen, double[] errors)
    {
        var captured = new (ReadOnlyMemory<float> Rows, ReadOnlyMemory<float> Queries)[_geometry.Length];
        var answer = model.Answer(prompt.Tokens, prompt.MaximumTokens, WindowSelection.Window, (layer, rows, queries) => captured[layer] = (rows, queries));
        Parallel.For(0, captured.Length, layer =>
        {
            var geometry = _geometry[layer];
            var attention = new LayerAttention(geometry, captured[layer].Rows);
            var kept = WindowSelection.Select(
                [.. chosen[layer].Select(head => WindowSum(layer, attention, captured[layer].Queries, head, prompt.Tokens.Length))], LayerBudgets.Minimum);
            for (var i = 0; i < answer.Length; i++)
            {
                var position = prompt.Tokens.Length + i;
                var query = Query(layer, captured[layer].Queries, WindowSelection.Window + i);
                int[] everything = [.. Enumerable.Range(0, position + 1)];
                int[] little = [.. kept, .. Enumerable.Range(prompt.Tokens.Length, i + 1)];
                var (full, compressed) = (new float[geometry.Heads * geometry.HeadDim], new float[geometry.Heads * geometry.HeadDim]);
                for (var head = 0; head < geometry.Heads; head++)
                {
                    var logits = attention.Logits(head, query, position);
                    attention.Read(head, logits, everything, full.AsSpan(head * geometry.HeadDim, geometry.HeadDim));
                    attention.Read(head, logits, little, compressed.AsSpan(head * geometry.HeadDim, geometry.HeadDim));
                }

                errors[layer] += LayerBudgets.RelativeError(Projected(geometry, compressed), Projected(geometry, full));
            }
        });
    }

    private float[] WindowSum(int layer, LayerAttention attention, ReadOnlyMemory<float> queries, int head, int promptLength)
    {
        var sum = new float[promptLength];
        for (var i = 0; i < WindowSelection.Window; i++)
        {
            var probabilities = attention.Probabilities(head, Query(layer, queries, i), promptLength - WindowSelection.Window + i);
            TensorPrimitives.Add(sum.AsSpan(0, probabilities.Length), probabilities, sum.AsSpan(0, probabilities.Length));
        }

        return sum;
    }

    private ReadOnlySpan<float> Query(int layer, ReadOnlyMemory<float> queries, int index)
    {
        var size = _geometry[layer].Heads * _geometry[layer].HeadDim;
        return queries.Span.Slice(index * size, size);
    }

    private static float[] Projected(AttentionGeometry geometry, ReadOnlySpan<float> output)
    {
        var result = new float[geometry.Hidden];
        for (var row = 0; row < result.Length; row++)
            result[row] = TensorPrimitives.Dot(geometry.OutputProjection.AsSpan(row * output.Length, output.Length), output);
        return result;
    }
}
