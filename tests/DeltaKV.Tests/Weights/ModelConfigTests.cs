using System.Text.Json.Nodes;
using DeltaKV.Tests.Support;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Weights;

public sealed class ModelConfigTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void ReadsTheEmbeddedModel()
    {
        var config = ModelConfig.Load(TestModels.Needle);

        Assert.Equal(ModelFamily.Llama, config.Family);
        Assert.Equal((384, 1024, 8, 8, 4, 64), (config.HiddenSize, config.IntermediateSize, config.LayerCount, config.HeadCount, config.KeyValueHeadCount, config.HeadDim));
        Assert.Equal(1e6, config.Rope.Theta);
        Assert.Equal(512, config.KeyValueWidth);
        Assert.Equal(8192, config.KvBytesPerToken);
        Assert.True(config.TieWordEmbeddings);
        Assert.Equal([5], GenerationDefaults.Load(TestModels.Needle, config).EosTokenIds.ToArray());
    }

    [Fact]
    public void ReadsLlama31()
    {
        var config = Read(ModelConfigSamples.Llama31);

        Assert.Equal(RopeType.Llama3, config.Rope.Type);
        Assert.Equal((8.0, 1.0, 4.0, 8192), (config.Rope.Factor, config.Rope.LowFrequencyFactor, config.Rope.HighFrequencyFactor, config.Rope.OriginalMaxPositions));
        Assert.Equal([128001, 128008, 128009], config.EosTokenIds.ToArray());
        Assert.Equal((131072, 128, 4), (config.MaxPositions, config.HeadDim, config.HeadsPerGroup));
        Assert.False(config.TieWordEmbeddings || config.HasQkvBias || config.HasQkNorm);
    }

    [Fact]
    public void ReadsQwen2WithBias()
    {
        var config = Read(ModelConfigSamples.Qwen25);
        Assert.True(config.HasQkvBias);
        Assert.Equal((128, 7, 32768), (config.HeadDim, config.HeadsPerGroup, config.MaxPositions));
    }

    [Fact]
    public void ReadsQwen3WithQkNorm()
    {
        var config = Read(ModelConfigSamples.Qwen3);
        Assert.True(config.HasQkNorm && config.TieWordEmbeddings);
        Assert.False(config.HasQkvBias);
        Assert.Equal(128, config.HeadDim);
    }

    [Fact]
    public void ReadsMistralWithoutWindow() => Assert.Equal(ModelFamily.Mistral, Read(ModelConfigSamples.Mistral).Family);

    [Fact]
    public void ReadsTransformers5Layout()
    {
        var json = Edit(ModelConfigSamples.Llama31, root =>
        {
            var scaling = root["rope_scaling"]!.DeepClone().AsObject();
            scaling["rope_theta"] = 500000.0;
            root.Remove("rope_scaling");
            root.Remove("rope_theta");
            root["rope_parameters"] = scaling;
            root["layer_types"] = new JsonArray("full_attention", "full_attention");
        });
        Assert.Equal(Read(ModelConfigSamples.Llama31).Rope, Read(json).Rope);
    }

    [Fact]
    public void YarnStretchesTheContext()
    {
        var config = Read(Edit(ModelConfigSamples.Qwen25, root => root["rope_scaling"] = JsonNode.Parse(
            """{"type":"yarn","factor":4.0,"original_max_position_embeddings":32768}""")));

        Assert.Equal(131072, config.MaxPositions);
        Assert.Equal(0.1 * Math.Log(4) + 1, config.Rope.AttentionFactor, 12);
    }

    [Theory]
    [InlineData("model_type", "\"gpt2\"", "'model_type' is 'gpt2'")]
    [InlineData("model_type", "null", "'model_type' is missing")]
    [InlineData("architectures", "[\"LlamaForSequenceClassification\"]", "expected LlamaForCausalLM")]
    [InlineData("hidden_act", "\"gelu\"", "'hidden_act' is 'gelu'")]
    [InlineData("attention_bias", "true", "'attention_bias' is true")]
    [InlineData("mlp_bias", "true", "'mlp_bias' is true")]
    [InlineData("sliding_window", "4096", "'sliding_window' of 4096")]
    [InlineData("layer_types", "[\"full_attention\",\"sliding_attention\"]", "names 'sliding_attention'")]
    [InlineData("quantization_config", "{\"quant_method\":\"gptq\"}", "(gptq)")]
    [InlineData("partial_rotary_factor", "0.5", "'partial_rotary_factor' is 0.5")]
    [InlineData("final_logit_softcapping", "30.0", "'final_logit_softcapping' is 30")]
    [InlineData("num_local_experts", "8", "'num_local_experts' is 8")]
    [InlineData("rope_scaling", "{\"rope_type\":\"dynamic\",\"factor\":2.0}", "'rope_scaling.rope_type' is 'dynamic'")]
    [InlineData("rope_scaling", "{\"rope_type\":\"linear\"}", "'rope_scaling.factor' is missing")]
    [InlineData("rope_scaling", "{\"rope_type\":\"linear\",\"factor\":0.5}", "expected at least 1")]
    [InlineData("rope_scaling", "{\"full_attention\":{\"rope_type\":\"default\"}}", "per layer type")]
    [InlineData("head_dim", "72", "'head_dim' is 72")]
    [InlineData("hidden_size", "4100", "multiple of 8")]
    [InlineData("hidden_size", "0", "'hidden_size' is 0")]
    [InlineData("hidden_size", "\"4096\"", "expected an integer")]
    [InlineData("num_hidden_layers", "null", "'num_hidden_layers' is missing")]
    [InlineData("num_key_value_heads", "5", "expected a divisor")]
    [InlineData("rms_norm_eps", "0", "'rms_norm_eps' is 0")]
    [InlineData("rope_theta", "1", "'rope_theta' is 1")]
    [InlineData("tie_word_embeddings", "1", "expected true or false")]
    [InlineData("eos_token_id", "[1,\"2\"]", "a list of integers")]
    public void RefusesByName(string field, string value, string reason)
    {
        var json = Edit(ModelConfigSamples.Llama31, root => root[field] = JsonNode.Parse(value));
        Assert.Contains(reason, Assert.Throws<ModelFormatException>(() => Read(json)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MistralHasAWindowUnlessTheFileSaysOtherwise()
    {
        var json = Edit(ModelConfigSamples.Mistral, root => root.Remove("sliding_window"));
        Assert.Contains("sliding_window", Assert.Throws<ModelFormatException>(() => Read(json)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void QwenWindowCountsOnlyWhenUsed()
    {
        var used = Edit(ModelConfigSamples.Qwen25, root => (root["use_sliding_window"], root["max_window_layers"], root["sliding_window"]) = (true, 14, 4096));
        Assert.Contains("sliding_window", Assert.Throws<ModelFormatException>(() => Read(used)).Reason, StringComparison.Ordinal);

        var above = Edit(ModelConfigSamples.Qwen25, root => (root["use_sliding_window"], root["max_window_layers"]) = (true, 28));
        Assert.Equal(28, Read(above).LayerCount);
    }

    [Fact]
    public void HeadDimsAreTheSupportedFour()
    {
        foreach (var headDim in new[] { 64, 80, 96, 128 })
            Assert.Equal(headDim, Read(Edit(ModelConfigSamples.Llama31, root => root["head_dim"] = headDim)).HeadDim);
    }

    [Fact]
    public void RefusesWhatIsNotAConfiguration()
    {
        Assert.Throws<ModelFormatException>(() => ModelConfig.Load(directory.Path));
        Assert.Throws<ModelFormatException>(() => Read("[]"));
        Assert.Throws<ModelFormatException>(() => Read("{\"model_type\":\"llama\",\"model_type\":\"llama\"}"));
        Assert.Throws<ModelFormatException>(() => Read("{\"model_type\":\"\\ud800\"}"));
    }

    [Fact]
    public void ReadsGenerationDefaults()
    {
        var config = Read(ModelConfigSamples.Llama31);
        directory.Write("generation_config.json",
            """{"bos_token_id":1,"eos_token_id":[7,8],"do_sample":true,"temperature":0.6,"top_k":20,"top_p":0.95,"min_p":0.05,"repetition_penalty":1.1,"max_new_tokens":300}""");
        var defaults = GenerationDefaults.Load(directory.Path, config);

        Assert.Equal([7, 8], defaults.EosTokenIds.ToArray());
        Assert.Equal((true, 0.6f, 20, 0.95f, 0.05f, 1.1f, 300), (defaults.Sample, defaults.Temperature, defaults.TopK, defaults.TopP, defaults.MinP, defaults.RepetitionPenalty, defaults.MaxNewTokens));
    }

    private static string Edit(string json, Action<JsonObject> edit)
    {
        var root = JsonNode.Parse(json)!.AsObject();
        edit(root);
        return root.ToJsonString();
    }

    private ModelConfig Read(string json)
    {
        directory.Write("config.json", json);
        return ModelConfig.Load(directory.Path);
    }
}
