using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Cache.Reading;

/// <summary>Attention of one query in double: its sequence, position and key head, to the output and the log of the sum of exponentials.</summary>
internal delegate (double[] Output, double LogSumExp) ExpectedAttention(float[] query, int sequence, int position, int head);

/// <summary>Launches kernels that attend to what a reader reads, over poisoned outputs, and compares every row and head with what is expected.</summary>
/// <param name="device">Where they run.</param>
/// <param name="shape">Heads.</param>
/// <param name="reader">How keys and values are read.</param>
/// <param name="order">Which of them.</param>
/// <param name="expected">The scalar reference.</param>
/// <param name="tolerance">Of outputs, relative to values of a few units.</param>
internal sealed class AttentionCheck<TReader>(
    KernelFixture device, AttentionShape shape, TReader reader, TokenOrder order, ExpectedAttention expected, double tolerance)
    where TReader : unmanaged, IKvReader<TReader>
{
    private const float QueryRange = 2f;

    /// <summary>One query per row.</summary>
    /// <param name="kernel">Attends.</param>
    /// <param name="sequences">Of every row, in any order.</param>
    /// <param name="positions">Of every row; -1 is padding, for which the output must be 0.</param>
    /// <param name="splits">Groups per row and head.</param>
    /// <param name="sumTolerance">Of the log of the sum of exponentials.</param>
    public void Decode(IDecodeKernel<TReader> kernel, int[] sequences, int[] positions, int splits, double sumTolerance)
    {
        var rows = sequences.Length;
        var qkv = Numbers.BFloat16s(9, rows * shape.QkvWidth, QueryRange);
        using var queries = device.Upload(qkv);
        using var rowSequences = device.Upload(sequences);
        using var rowPositions = device.Upload(positions);
        using var output = device.Poisoned<BFloat16>(rows * shape.OutputWidth);
        using var partialOutput = device.Poisoned<float>(rows * shape.OutputWidth * splits);
        using var partialSoftmax = device.Poisoned<Float2>(rows * shape.QueryHeads * splits);
        using var logSumExp = device.Poisoned<float>(rows * shape.QueryHeads);

        kernel.Launch(
            device.Stream,
            new DecodeArguments<TReader>
            {
                Reader = reader,
                Rows = new TokenRows(rowSequences.View, rowPositions.View),
                Order = order,
                Qkv = queries.View.BaseView.Cast<uint>(),
                Output = output.View.BaseView.Cast<BFloat16x2>(),
                PartialOutput = partialOutput.View,
                PartialSoftmax = partialSoftmax.View,
                LogSumExp = logSumExp.View,
                Splits = splits,
            },
            shape,
            rows);

        var actual = Numbers.Widen(device.Download(output, rows * shape.OutputWidth));
        var sums = device.Download(logSumExp, rows * shape.QueryHeads);
        for (var row = 0; row < rows; row++)
        {
            if (positions[row] < 0)
            {
                Assert.All(actual[(row * shape.OutputWidth)..((row + 1) * shape.OutputWidth)], value => Assert.Equal(0f, value));
                continue;
            }

            for (var head = 0; head < shape.QueryHeads; head++)
                Assert.Equal(Compare(Numbers.Widen(qkv), actual, row, head, sequences[row], positions[row]), sums[(row * shape.QueryHeads) + head], sumTolerance);
        }
    }

    /// <summary>The last tokens of some sequences, in tiles.</summary>
    /// <param name="chunks">Sequences and how many rows each has in the step.</param>
    /// <param name="lengths">Tokens of every sequence, those rows included.</param>
    public void Prefill((int Sequence, int Rows)[] chunks, int[] lengths)
    {
        var tiles = new List<PrefillTile>();
        var rows = 0;
        foreach (var (sequence, count) in chunks)
        {
            var cut = new PrefillTile[PrefillTile.CountOf(count)];
            PrefillTile.Cut(sequence, rows, count, lengths[sequence] - count, cut);
            tiles.AddRange(cut);
            rows += count;
        }

        var qkv = Numbers.BFloat16s(9, rows * shape.QkvWidth, QueryRange);
        using var queries = device.Upload(qkv);
        using var uploadedTiles = device.Upload(tiles.ToArray());
        using var output = device.Poisoned<BFloat16>(rows * shape.OutputWidth);
        new ReaderPrefillKernel<TReader>(device.Accelerator).Launch(
            device.Stream,
            new PrefillReadArguments<TReader>
            {
                Reader = reader,
                Tiles = uploadedTiles.View,
                Order = order,
                Qkv = queries.View.BaseView.Cast<uint>(),
                Output = output.View.BaseView.Cast<BFloat16x2>(),
            },
            shape,
            tiles.Count);

        var actual = Numbers.Widen(device.Download(output, rows * shape.OutputWidth));
        var row = 0;
        foreach (var (sequence, count) in chunks)
        {
            for (var i = 0; i < count; i++, row++)
            {
                for (var head = 0; head < shape.QueryHeads; head++)
                    Compare(Numbers.Widen(qkv), actual, row, head, sequence, lengths[sequence] - count + i);
            }
        }
    }

    private double Compare(float[] queries, float[] actual, int row, int head, int sequence, int position)
    {
        var query = queries.AsSpan((row * shape.QkvWidth) + (head * shape.HeadDim), shape.HeadDim).ToArray();
        var (output, sum) = expected(query, sequence, position, head / shape.GroupSize);
        Numbers.AssertClose(
            output, actual.AsSpan((row * shape.OutputWidth) + (head * shape.HeadDim), shape.HeadDim).ToArray(), tolerance, 1e-2, $"row {row}, sequence {sequence}, head {head}");
        return sum;
    }
}
