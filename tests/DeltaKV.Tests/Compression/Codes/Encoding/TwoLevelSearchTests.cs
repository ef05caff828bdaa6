using System.Numerics.Tensors;
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
    [InlineData(128, 2)]
    [InlineData(80, 3)]
    public void Sketches_are_products_with_the_signs(int headDim, int keyHeads)
    {
        using var fixture = new TwoLevelFixture(device, RandomWalk(48, 2 * keyHeads * headDim, 1), keyHeads, headDim, 5, 16);
        var sketches = Widen(fixture.Sketches.GetAsArray1D());
        var stored = Widen(fixture.ReferenceSketches.GetAsArray1D());
        var norms = fixture.SketchNorms.GetAsArray1D();
        var weight = (float)BitConverter.UInt16BitsToHalf(0x2DA8);
        for (var token = 0; token < 48; token++)
        {
            for (var column = 0; column < Sketch.Width; column++)
            {
                var expected = 0.0;
                var size = 0.0;
                for (var i = 0; i < fixture.Width; i++)
                {
                    var value = weight * (double)(float)(System.Half)fixture.Rows[token][i];
                    expected += Sign(i, column) * value;
                    size += Math.Abs(value);
                }

                // fp32 sums, then one rounding to a half.
                Assert.Equal(expected, sketches[(token * Sketch.Width) + column], (Math.Abs(expected) / 1024) + (size * 1e-5) + 1e-4);
            }
        }

        for (var ordinal = 0; ordinal < 48 / 5; ordinal++)
        {
            var own = sketches.AsSpan(5 * ordinal * Sketch.Width, Sketch.Width);
            Assert.True(own.SequenceEqual(stored.AsSpan(fixture.PlaceOf(ordinal) * Sketch.Width, Sketch.Width)));
            Assert.Equal(TensorPrimitives.SumOfSquares<float>(own), norms[fixture.PlaceOf(ordinal)], 1e-3 * TensorPrimitives.SumOfSquares<float>(own));
        }
    }

    [Fact]
    public void Sketches_keep_distances()
    {
        var rows = RandomWalk(64, 512, 2);
        using var fixture = new TwoLevelFixture(device, rows, 4, 64, 10, 16);
        var sketches = Widen(fixture.Sketches.GetAsArray1D()).Chunk(Sketch.Width).ToArray();
        var ratios = Enumerable.Range(0, 63).Select(i => TensorPrimitives.Distance<float>(sketches[i], sketches[63]) / TensorPrimitives.Distance<float>(rows[i], rows[63])).ToArray();
        // A distance's standard deviation is a sixteenth; of one walk all share much.
        Assert.All(ratios, ratio => Assert.InRange(ratio, 0.7f, 1.3f));
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
        var sketches = Widen(fixture.Sketches.GetAsArray1D()).Chunk(Sketch.Width).ToArray();
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
    public void Of_needle_16m_s_keys_and_values_nine_tenths_of_the_nearest_are_found()
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
        Assert.True(recalls.Average() >= 0.9 && recalls.Min() >= 0.85, $"Found of the four nearest: {string.Join(", ", recalls.Select(recall => $"{recall:f3}"))}.");
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

    private static int Sign(int element, int column)
    {
        // Chunks of eight elements go to the lanes of a group in turn; two words of a chunk are a k-step's pairs.
        var (chunk, word) = (element / 8, element % 8 / 2);
        var signs = Sketch.Signs((chunk / 4 * 2) + (word / 2), (column % 8 * 4) + (chunk % 4), column / 64);
        return (signs >> ((4 * (column / 8 % 8)) + (2 * (word % 2)) + (element % 2)) & 1) == 0 ? 1 : -1;
    }

    private static float[][] RandomWalk(int length, int width, int seed)
    {
        var random = new Random(seed);
        var rows = new float[length][];
        for (var i = 0; i < length; i++)
            rows[i] = [.. Enumerable.Range(0, width).Select(c => (i == 0 ? 0 : rows[i - 1][c]) + (0.2f * (random.NextSingle() - 0.5f)))];
        return rows;
    }

    private static float[] Widen(UInt4[] pieces) =>
        [.. pieces.SelectMany(piece => new[] { piece.X, piece.Y, piece.Z, piece.W }).SelectMany(word => new[] { (float)BitConverter.UInt16BitsToHalf((ushort)word), (float)BitConverter.UInt16BitsToHalf((ushort)(word >> 16)) })];
}
