using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Tests.Compression.DeltaKv;

public sealed class CodecSizeTests
{
    [Theory]
    [InlineData(17, 0, nameof(LayerTreatment.Raw), "cc")]
    [InlineData(96, 3, nameof(LayerTreatment.Kivi4), "cc")]
    [InlineData(500, 0, nameof(LayerTreatment.Kivi8), "cw")]
    [InlineData(1007, 3, nameof(LayerTreatment.Raw), "wr")]
    [InlineData(1007, 0, nameof(LayerTreatment.Raw), "ww")]
    public void WhatIsForeseenIsWhatTheAllocatorsHandOut(int tokens, int neighbours, string full, string heads)
    {
        var codec = new DeltaKvCodec
        {
            Model = new ModelFingerprint("Llama", 3, 2, 64, "0123456789abcdef"),
            Options = new CodedKvOptions { Sinks = 32, Recent = 32, ReferenceStride = 7, ReferenceBits = 8 },
            Layers =
            [
                new CodecLayer(LayerTreatment.Recomputed),
                new CodecLayer(Enum.Parse<LayerTreatment>(full)),
                new CodecLayer(LayerTreatment.Coded, HeadTable.Apply(
                    HeadTable.Parse(heads).Layers[0], HadamardCodec.Create(2, 64, ChunkWidth.Bits4, ChunkWidth.Bits2) with { Neighbours = neighbours })),
            ],
        };
        var format = codec.Format(new AttentionShape(4, 2, 64), codec.Options);
        var cache = new CodedKvCache(format, CodedKvCapacity.ForBytes(format, 1 << 22, 1, 256, 2048), new NoStore(), false);
        var sequence = cache.Open();
        int[] history = [.. Enumerable.Range(0, tokens)];
        Assert.True(sequence.TryAdmit(history));
        while (sequence.Length < tokens)
        {
            var step = Math.Min(100, tokens - sequence.Length);
            Assert.True(sequence.TryReserve(step));
            ((CodedSequence)sequence).Row = 0;
            sequence.Commit(history.AsSpan(0, sequence.Length + step));
            cache.Flush();
        }

        Assert.Equal(sequence.Usage, CodecSize.Usage(codec, tokens));
        Assert.Equal(sequence.Usage.FullBytes, CodecSize.Full(codec.Model, tokens));
        Assert.Equal(((CodedSequence)sequence).CodedEnd - 32, CodecSize.CodedTokens(codec, tokens));
    }

    private sealed class NoStore : ICodedStore
    {
        public void CopyFull(int source, int target) => throw new NotSupportedException();

        public void CopyWindow(int source, int target) => throw new NotSupportedException();

        public void CopyReferences(int source, int target) => throw new NotSupportedException();

        public void Compress(IReadOnlyList<FlushItem> items) => Assert.NotEmpty(items);
    }
}
