using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Evaluation;
using DeltaKV.Gpu;
using DeltaKV.Tests.Kernels;
using DeltaKV.Tests.Reference;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Compression.Codes.Encoding;

[Collection(KernelCollection.Name)]
public sealed class TwoLevelSearchTests(KernelFixture device)
{
    [Theory]
    [InlineData(64, 1)]
    [InlineData(128, 3)]
    [InlineData(80, 5)]
    public void Sketches_are_signed_sums_in_bytes(int headDim, int keyHeads)
    {
        using var fixture = new TwoLevelFixture(device, RandomWalk(48, 2 * keyHeads * headDim, 1), keyHeads, headDim, 5, 16);
        var sketches = fixture.TokenSketches();
        var steps = fixture.SketchSteps.GetAsArray1D();
        for (var token = 0; token < 48; token++)
        {
            var expected = new double[Sketch.Width];
            for (var i = 0; i < fixture.Width; i++)
                expected[i % Sketch.Width] += Sign(i) * (double)(System.Half)fixture.Rows[token][i];
            var step = expected.Max(Math.Abs) / 127;
            Assert.Equal(step, steps[token], 1e-5 * step);
            // Half a step, and what fp32 sums make of it.
            for (var column = 0; column < Sketch.Width; column++)
                Assert.Equal(expected[column], sketches[token][column], 0.501 * step);
        }

        var (bytes, stored) = (MemoryMarshal.AsBytes<UInt4>(fixture.Sketches.GetAsArray1D()).ToArray(), MemoryMarshal.AsBytes<UInt4>(fixture.ReferenceSketches.GetAsArray1D()).ToArray());
        var scales = fixture.ReferenceScales.GetAsArray1D();
        for (var ordinal = 0; ordinal < 48 / 5; ordinal++)
        {
            var place = fixture.PlaceOf(ordinal);
            Assert.True(bytes.AsSpan(5 * ordinal * Sketch.Width, Sketch.Width).SequenceEqual(stored.AsSpan(place * Sketch.Width, Sketch.Width)));
            Assert.Equal(steps[5 * ordinal], scales[place].X);
            var norm = TensorPrimitives.SumOfSquares<float>(sketches[5 * ordinal]);
            Assert.Equal(norm, scales[place].Y, 1e-5 * norm);
        }
    }

    [Fact]
    public void A_row_of_zeros_has_a_sketch_of_zeros()
    {
        using var fixture = new TwoLevelFixture(device, [.. Enumerable.Range(0, 16).Select(_ => new float[256])], 2, 64, 5, 16);
        Assert.All(fixture.TokenSketches(), sketch => Assert.All(sketch, value => Assert.Equal(0f, value)));
    }

    [Fact]
    public void Sketches_keep_distances()
    {
        var rows = RandomWalk(64, 512, 2);
        using var fixture = new TwoLevelFixture(device, rows, 4, 64, 10, 16);
        var sketches = fixture.TokenSketches();
        var ratios = Enumerable.Range(0, 63).Select(i => TensorPrimitives.Distance<float>(sketches[i], sketches[63]) / TensorPrimitives.Distance<float>(rows[i], rows[63])).ToArray();
        // A distance's standard deviation is a thirty-second; of one walk all share much.
        Assert.All(ratios, ratio => Assert.InRange(ratio, 0.87f, 1.13f));
    }

    [Theory]
    [InlineData(16, 64, 2, 700, 3)]
    [InlineData(8, 64, 1, 500, 1)]
    [InlineData(4, 128, 1, 320, 2)]
    [InlineData(16, 80, 1, 320, 7)]
    public void Candidates_are_the_best_of_their_class_and_the_nearest_the_best_of_them(int referenceBits, int headDim, int keyHeads, int length, int stride)
    {
        length = length / 16 * 16;
        using var fixture = new TwoLevelFixture(device, RandomWalk(length, 2 * keyHeads * headDim, 4), keyHeads, headDim, stride, referenceBits);
        // The last group is not full.
        var firstItem = (length / 16) - 6;
        var (candidates, nearest) = fixture.Search(firstItem, 6);
        var sketches = fixture.TokenSketches();
        var references = Enumerable.Range(0, ((length - 1) / stride) + 1).ToArray();
        var stored = fixture.References.GetAsArray1D();
        var rows = Array.ConvertAll(references, ordinal => fixture.Reference(stored, ordinal, headDim));
        for (var i = 0; i < 6 * 16; i++)
        {
            var token = (16 * firstItem) + i;
            var available = references[..((token / stride) + 1)];
            CheckCandidates(candidates[i], available, ordinal => Score(sketches[token], sketches[ordinal * stride]), $"token {token}");
            if (token % stride == 0)
                continue;
            var row = Array.ConvertAll(fixture.Rows[token], value => (float)(System.Half)value);
            var best = candidates[i].Where(ordinal => ordinal >= 0).OrderByDescending(ordinal => Score(row, rows[ordinal])).Take(4).ToArray();
            Assert.Equal(Math.Min(4, available.Length), best.Length);
            for (var n = 0; n < best.Length; n++)
            {
                var (expected, actual) = (Score(row, rows[best[n]]), Score(row, rows[nearest[i][n]]));
                Assert.True(actual >= expected - (1e-4 * (1 + Math.Abs(expected))), $"token {token}: neighbour {n} is {nearest[i][n]}, expected {best[n]}");
            }

            // The place of a second split of an exact search is empty.
            Assert.All(nearest[i][4..], ordinal => Assert.Equal(-1, ordinal));
        }
    }

    [Fact]
    public void Of_a_random_walk_nearly_all_nearest_are_found()
    {
        var rows = RandomWalk(3200, 256, 5);
        using var fixture = new TwoLevelFixture(device, rows, 2, 64, 2, 16);
        Assert.InRange(Recall(fixture, 180, 12), 0.99, 1);
    }

    [Fact]
    public void Of_needle_16m_s_keys_and_values_nearly_all_nearest_are_found()
    {
        var model = ReferenceTransformer.Load(TestModels.Needle);
        var plan = new EvaluationPlan { Methods = ["full"], Tasks = ["json"], Lengths = [2048], Questions = 1, TextTokens = 64, Seed = 6 };
        var tokens = new EvaluationDocuments(plan, ModelTokenizer.Load(TestModels.Needle)).Of("json", 2048)[0].Context.ToArray();
        var cache = new ReferenceCache(model.Config, tokens.Length);
        model.Forward(tokens, cache);
        // A thousand references: enough to miss some. The deeper the layer, the less near the nearest are.
        var recalls = new[] { 1, 4, 7 }.Select(layer =>
        {
            float[][] rows = [.. Enumerable.Range(0, tokens.Length / 16 * 16).Select(position => cache.Row(layer, position).ToArray())];
            using var fixture = new TwoLevelFixture(device, rows, 4, 64, 2, 16);
            return Recall(fixture, (rows.Length / 16) - 8, 8);
        }).ToArray();
        Assert.True(recalls.Average() >= 0.98 && recalls.Min() >= 0.95, $"Found of the four nearest: {string.Join(", ", recalls.Select(recall => $"{recall:f3}"))}.");
    }

    /// <summary>The share of the true four nearest references that are among the four found.</summary>
    private static double Recall(TwoLevelFixture fixture, int firstItem, int itemCount)
    {
        var (_, nearest) = fixture.Search(firstItem, itemCount);
        var (found, wanted) = (0, 0);
        for (var i = 0; i < itemCount * 16; i++)
        {
            var token = (16 * firstItem) + i;
            if (token % fixture.Stride == 0)
                continue;
            var best = Enumerable.Range(0, (token / fixture.Stride) + 1)
                .OrderBy(ordinal => TensorPrimitives.Distance<float>(fixture.Rows[token], fixture.Rows[ordinal * fixture.Stride])).Take(4).ToArray();
            found += best.Intersect(nearest[i][..4]).Count();
            wanted += 4;
        }

        return found / (double)wanted;
    }

    /// <summary>Classes: splits of 64 references in turn, and in each the columns of a lane: two neighbours of every eight.</summary>
    private static void CheckCandidates(int[] candidates, int[] available, Func<int, double> score, string what)
    {
        for (var c = 0; c < Sketch.Candidates / 4; c++)
        {
            var list = candidates.AsSpan(4 * c, 4).ToArray();
            var members = available.Where(ordinal => ordinal / 64 % Sketch.Splits == c / 4 && ordinal % 8 / 2 == c % 4).ToArray();
            var best = members.Select(score).OrderDescending().Take(4).ToArray();
            for (var n = 0; n < 4; n++)
            {
                if (n >= best.Length)
                {
                    Assert.Equal(-1, list[n]);
                    continue;
                }

                Assert.Contains(list[n], members);
                Assert.True(score(list[n]) >= best[n] - (1e-4 * (1 + Math.Abs(best[n]))), $"{what}, class {c}: candidate {n} is {list[n]}");
            }
        }
    }

    private static double Score(float[] row, float[] reference) =>
        (2.0 * TensorPrimitives.Dot<float>(row, reference)) - TensorPrimitives.SumOfSquares<float>(reference);

    private static int Sign(int element) => ((Sketch.Signs(element / 8) >> (element % 8)) & 1) == 0 ? 1 : -1;

    private static float[][] RandomWalk(int length, int width, int seed)
    {
        var random = new Random(seed);
        var rows = new float[length][];
        for (var i = 0; i < length; i++)
            rows[i] = [.. Enumerable.Range(0, width).Select(c => (i == 0 ? 0 : rows[i - 1][c]) + (0.2f * (random.NextSingle() - 0.5f)))];
        return rows;
    }
}
