using DeltaKV.Cache.Selection;
using DeltaKV.Compression;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Compression.Codes;
using DeltaKV.Tests.Model;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Compression;

/// <summary>What methods say they need, against what the device handed out.</summary>
public class AllocatedBytesTests
{
    [Theory]
    // Plans are made for more multiprocessors than this device has, and for workspaces that so small a model does not fill.
    [InlineData("kivi-4", 0.8, 1.04)]
    [InlineData("kivi-8:full=1,observers=0,top=64", 0.8, 1.04)]
    [InlineData("quest:top=128", 0.8, 1.04)]
    [InlineData("omnikv:observers=0,top=64,heads=each,prefill=64", 0.8, 1.04)]
    [InlineData("int4:observers=0,top=64,hot=64", 0.75, 1.04)]
    [InlineData("int4:neighbours=4,search=20", 0.8, 1.04)]
    [InlineData("snapkv:share=25+kivi-4", 0.95, 1.02)]
    [InlineData("pyramidkv:budget=128+int8:full=1,fulllayers=kivi4", 0.8, 1.04)]
    [InlineData("int3:first=recomputed,scales=token", 0.6, 1.04)]
    public void A_method_allocates_what_it_was_given(string text, double least, double most) => Allocates(config => KvMethods.Resolve(text, config, null)!, least, most);

    [Theory]
    [InlineData(0)]
    [InlineData(64)]
    public void Decoders_with_a_hidden_layer_allocate_what_they_were_given(int hot) => Allocates(
        config =>
        {
            var codec = CodecSamples.WithDecoder(
                HadamardCodec.Create(config.KeyValueHeadCount, config.HeadDim, ChunkWidth.Bits4, ChunkWidth.Bits4), FeatureActivation.Gelu, 512, 1);
            var options = new CodedKvOptions { Selection = new SelectionBudget(64, 0), HotTokens = hot };
            return new CodedKvMethod(new CodedKvFormat(
                new AttentionShape(config.HeadCount, config.KeyValueHeadCount, config.HeadDim), [null, .. Enumerable.Repeat(codec, config.LayerCount - 1)], options, observers: [0]));
        },
        0.8,
        1.04);

    private static void Allocates(Func<ModelConfig, IKvMethod> choose, double least, double most)
    {
        // Of its own: what other tests allocate at the same time is not this method's.
        using var accelerator = TestAccelerators.Create(TestAccelerators.Devices[0]);
        using var harness = new ModelHarness<BFloat16>(
            accelerator,
            GoldenLogitsTests.Directory("llama"),
            256,
            shape => new BFloat16Kernels(accelerator, shape, 8),
            (stream, config, weights, kernels) =>
            {
                var method = choose(config);
                var limits = new KvLimits(4, 256, 4096, 0);
                var bytes = method.FixedBytes(limits) + (method.BytesPerToken * 4 * 4096);
                var before = accelerator.AllocatedBytes;
                var layers = method.Open(new KvMethodContext(stream, config, weights, kernels, bytes, limits, PrefixCaching: false));
                Assert.InRange(accelerator.AllocatedBytes - before, least * bytes, most * bytes);
                return layers;
            });
        Assert.Equal(4, harness.Run([1, 2, 3, 4]).Length);
    }
}
