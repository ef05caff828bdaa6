namespace DeltaKV.Model;

/// <summary>Tensor names of the Hugging Face layout that Llama, Mistral and Qwen share.</summary>
internal static class WeightNames
{
    internal const string Embedding = "model.embed_tokens.weight";
    internal const string FinalNorm = "model.norm.weight";
    internal const string LanguageModelHead = "lm_head.weight";

    internal static string Layer(int layer, string part) => $"model.layers.{layer}.{part}";
}
