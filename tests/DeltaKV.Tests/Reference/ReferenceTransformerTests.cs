using DeltaKV.Tests.Support;
namespace DeltaKV.Tests.Reference;

/// <summary>The oracle is itself checked against textbook loops in double precision.</summary>
public sealed class ReferenceTransformerTests
{
    private static readonly Lazy<ReferenceTransformer> Model = new(() => ReferenceTransformer.Load(TestModels.Needle));

    [Fact]
    public void FirstLayerEqualsTextbookAttention()
    {
        var model = Model.Value;
        var tokens = Tokens(77);
        var tap = new Recorder();
        model.Forward(tokens, new ReferenceCache(model.Config, tokens.Length), tap);

        var (dim, width) = (model.Config.HeadDim, model.Config.KvWidth);
        foreach (var ((head, position), (query, probabilities)) in tap.Attentions)
        {
            var logits = new double[position + 1];
            for (var j = 0; j <= position; j++)
            {
                var key = tap.Rows.AsSpan(j * width + head / model.Config.GroupSize * dim, dim);
                for (var i = 0; i < dim / 2; i++)
                {
                    var (sin, cos) = Math.SinCos(j * Math.Pow(model.Config.RopeTheta, -2.0 * i / dim));
                    logits[j] += (query[i] * (key[i] * cos - key[i + dim / 2] * sin)
                        + query[i + dim / 2] * (key[i + dim / 2] * cos + key[i] * sin)) / Math.Sqrt(dim);
                }
            }

            var sum = logits.Sum(l => Math.Exp(l - logits.Max()));
            for (var j = 0; j <= position; j++)
                Assert.Equal(Math.Exp(logits[j] - logits.Max()) / sum, probabilities[j], 5e-5);
            for (var i = 0; i < dim; i++)
            {
                var value = Enumerable.Range(0, position + 1).Sum(j =>
                    (double)probabilities[j] * tap.Rows[j * width + (model.Config.KvHeads + head / model.Config.GroupSize) * dim + i]);
                Assert.Equal(value, tap.Outputs[(position * model.Config.Heads + head) * dim + i], 1e-4);
            }
        }

        Assert.Equal(77 * model.Config.Heads, tap.Attentions.Count);
    }

    [Fact]
    public void ChunksAndOneByOneGiveTheSameLogits()
    {
        var model = Model.Value;
        var tokens = Tokens(300);
        var whole = model.Forward(tokens, new ReferenceCache(model.Config, 300));
        var cache = new ReferenceCache(model.Config, 300);
        model.Forward(tokens.AsSpan(0, 131), cache);
        model.Forward(tokens.AsSpan(131, 160), cache);
        float[] last = [];
        for (var i = 291; i < 300; i++)
            last = model.Forward(tokens.AsSpan(i, 1), cache);

        var hidden = model.Config.Hidden;
        for (var i = 0; i < hidden; i++)
            Assert.Equal(whole[299 * hidden + i], last[i], 2e-3);
    }

    [Fact]
    public void RowsHiddenFromEveryHeadAreNotAttended()
    {
        var model = Model.Value;
        var tokens = Tokens(40);
        var cache = new ReferenceCache(model.Config, 64);
        for (var layer = 0; layer < model.Config.Layers; layer++)
        {
            for (var head = 0; head < model.Config.KvHeads; head++)
                cache.SetVisible(layer, head, 7, visible: false);
        }

        var tap = new Recorder();
        model.Forward(tokens.AsSpan(0, 7), cache);
        cache.Length = 8;
        model.Forward(tokens.AsSpan(8), cache, tap);
        Assert.All(tap.Attentions.Values, a => Assert.Equal(0f, a.Probabilities[7]));
    }

    private static int[] Tokens(int count)
    {
        var random = new Random(5);
        return Enumerable.Range(0, count).Select(_ => random.Next(6, 4096)).ToArray();
    }

    /// <summary>Keeps what layer 0 did.</summary>
    private sealed class Recorder : ReferenceTap
    {
        public Dictionary<(int Head, int Position), (float[] Query, float[] Probabilities)> Attentions { get; } = [];

        public float[] Rows { get; private set; } = [];

        public float[] Outputs { get; private set; } = [];

        public override void KeyValues(int layer, int position, Span<float> rows)
        {
            if (layer == 0)
                Rows = rows.ToArray();
        }

        public override void Attention(int layer, int head, int position, ReadOnlySpan<float> query, ReadOnlySpan<float> probabilities)
        {
            lock (Attentions)
            {
                if (layer == 0)
                    Attentions.Add((head, position), (query.ToArray(), probabilities.ToArray()));
            }
        }

        public override void AttentionOutput(int layer, int position, ReadOnlySpan<float> rows)
        {
            if (layer == 0)
                Outputs = rows.ToArray();
        }
    }
}
