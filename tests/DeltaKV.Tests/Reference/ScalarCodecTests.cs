using DeltaKV.Compression.Codes;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Evaluation;
using DeltaKV.Tests.Compression.Codes;

namespace DeltaKV.Tests.Reference;

public sealed class ScalarCodecTests
{
    [Fact]
    public void SixteenBitIdentityComesBackAsHalves()
    {
        const int width = 128;
        var identity = new float[width * width];
        for (var i = 0; i < width; i++)
            identity[i * width + i] = 1;
        var codec = new LinearCodec
        {
            KeyHeads = 1, HeadDim = 64, Mean = new float[width],
            Groups = [new CodeGroup(0, width, [.. Enumerable.Repeat(ChunkWidth.Bits16, 16)], identity, identity)],
        };
        var row = Row(new SeededRandom(1), width, 3);
        var back = RoundTrip(codec, row, []);
        for (var i = 0; i < width; i++)
            Assert.Equal((float)(Half)row[i], back[i]);
    }

    [Theory]
    [InlineData(ChunkWidth.Bits8, ChunkWidth.Bits8, CodeScales.PerChunk, 0.006)]
    [InlineData(ChunkWidth.Bits4, ChunkWidth.Bits4, CodeScales.PerChunk, 0.09)]
    [InlineData(ChunkWidth.Bits4, ChunkWidth.Bits4, CodeScales.PerToken, 0.13)]
    [InlineData(ChunkWidth.Bits3, ChunkWidth.Bits3, CodeScales.PerChunk, 0.21)]
    [InlineData(ChunkWidth.Bits3, ChunkWidth.Bits3, CodeScales.PerToken, 0.27)]
    [InlineData(ChunkWidth.Bits4, ChunkWidth.Bits2, CodeScales.PerChunk, 0.45)]
    internal void HadamardCodesLeaveLittleErrorDespiteOutliers(ChunkWidth keys, ChunkWidth values, CodeScales scales, double bound)
    {
        var random = new SeededRandom(2);
        var codec = HadamardCodec.Create(2, 64, keys, values) with { Scales = scales };
        var (error, norm) = (0.0, 0.0);
        for (var trial = 0; trial < 50; trial++)
        {
            var row = Row(random, 256, 1);
            row[17] = 12;
            var back = RoundTrip(codec, row, []);
            error += row.Zip(back, (a, b) => (double)(a - b) * (a - b)).Sum();
            norm += row.Sum(a => (double)a * a);
        }

        Assert.InRange(Math.Sqrt(error / norm), 0, bound);
    }

    [Theory]
    [InlineData(40)]
    [InlineData(80)]
    [InlineData(96)]
    [InlineData(128)]
    public void HadamardMixingKeepsLengthsForAnyHeadSize(int headDim)
    {
        var codec = HadamardCodec.Create(1, headDim, ChunkWidth.Bits8, ChunkWidth.Bits8);
        var row = Row(new SeededRandom(3), 2 * headDim, 1);
        Assert.All(row.Zip(RoundTrip(codec, row, [])), pair => Assert.Equal(pair.First, pair.Second, 0.04f));
    }

    [Fact]
    public void ReferencesAreSubtractedAndAddedBack()
    {
        var random = new SeededRandom(4);
        var codec = HadamardCodec.Create(1, 64, ChunkWidth.Bits4, ChunkWidth.Bits4) with { Neighbours = 2 };
        var reference = Row(random, 128, 100);
        var row = reference.Select(r => r + (float)random.NextNormal() * 0.01f).ToArray();
        // A residual of 0.01 in 16 levels: errors of about a thousandth, where coding the row itself would leave several units.
        Assert.All(row.Zip(RoundTrip(codec, row, reference)), pair => Assert.Equal(pair.First, pair.Second, 0.01f));
    }

    [Theory]
    [InlineData(ChunkWidth.Bits8, 5, 48)]
    [InlineData(ChunkWidth.Bits4, 1, 16)]
    [InlineData(ChunkWidth.Bits4, 12, 40)]
    [InlineData(ChunkWidth.Bits2, 21, 52)]
    [InlineData(ChunkWidth.Bits3, 3, 19)]
    // Behind the chunk, its tail: bytes of the lower and of the upper half of every word.
    [InlineData(ChunkWidth.Bits3, 44, 162)]
    [InlineData(ChunkWidth.Bits3, 31, 157)]
    internal void CodesLieWhereTheKernelsLookForThem(ChunkWidth width, int dimension, int bit)
    {
        var count = CodeGroup.DimensionsOf(width);
        var matrix = new float[count * 64];
        matrix[dimension * 64] = 1;
        var codec = new LinearCodec
        {
            KeyHeads = 1, HeadDim = 32, Mean = new float[64], Groups = [new CodeGroup(0, 64, [width], matrix, matrix)],
        };
        var scalar = new ScalarCodec(codec);
        var zero = new byte[scalar.RecordBytes];
        scalar.Encode(new float[64], [], zero);
        var record = new byte[scalar.RecordBytes];
        var row = new float[64];
        // Crumbs stand for halves: zero is between two of them.
        row[0] = width == ChunkWidth.Bits2 ? 2 : 1;
        scalar.Encode(row, [], record);

        var mask = (1 << (int)width) - 1;
        int At(byte[] bytes) => (int)(BitConverter.ToUInt32(bytes, bit / 32 * 4) >> (bit % 32)) & mask;
        Assert.Equal(1, At(record) - At(zero));
        Assert.Single(Enumerable.Range(0, record.Length), i => record[i] != zero[i]);
    }

    [Fact]
    public void Every_integer_of_a_record_has_bits_of_its_own()
    {
        var random = new SeededRandom(7);
        foreach (var name in (string[])["hadamard3", "hadamard4-3", "mixed3", "klt3", "chunk3", "hadamard8-2"])
        {
            var codec = CodecSamples.Create(name, 3, 64, 2, 1);
            var bits = new RecordBits(codec);
            var layout = RecordLayout.Of(codec);
            var record = new uint[layout.Words];
            var places = codec.Groups.SelectMany(group => group.Chunks).Select((width, chunk) => (width, chunk)).Where(place => place.width != ChunkWidth.Bits16)
                .SelectMany(place => Enumerable.Range(0, CodeGroup.DimensionsOf(place.width)).Select(dimension => (place.chunk, place.width, dimension))).ToArray();
            var codes = Array.ConvertAll(places, place => (uint)random.Next(0, 1 << (int)place.width));
            for (var i = 0; i < places.Length; i++)
                bits.Write(record, places[i].chunk, places[i].width, places[i].dimension, codes[i]);

            Assert.Equal(codes, places.Select(place => bits.Read(record, place.chunk, place.width, place.dimension)));
            // Scales and ids come behind.
            Assert.All(record[layout.ScaleWord..], word => Assert.Equal(0u, word));
        }
    }

    internal static float[] RoundTrip(LinearCodec codec, float[] row, float[] reference)
    {
        var scalar = new ScalarCodec(codec);
        var record = new byte[scalar.RecordBytes];
        scalar.Encode(row, reference, record);
        var back = new float[row.Length];
        scalar.Decode(record, reference, back);
        return back;
    }

    private static float[] Row(SeededRandom random, int width, double scale) =>
        [.. Enumerable.Range(0, width).Select(_ => (float)(scale * random.NextNormal()))];
}
