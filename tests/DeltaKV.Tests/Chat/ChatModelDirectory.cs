using System.Text.Json;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Chat;

/// <summary>A model directory of which only the chat template matters, under a name of its own.</summary>
internal sealed class ChatModelDirectory : IDisposable
{
    /// <summary>The shape of Qwen3's template: tools, reasoning, optional thinking.</summary>
    internal const string ThinkingWithTools =
        "{% if tools %}<tools>{{ tools | tojson }}</tools>{% endif %}"
        + "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}"
        + "{% if m.tool_calls %}{% for c in m.tool_calls %}<tool_call>{{ c.function | tojson }}</tool_call>{% endfor %}{% endif %}<|end|>{% endfor %}"
        + "{% if add_generation_prompt %}<|assistant|>{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}";

    private readonly TemporaryDirectory directory = new();

    internal ChatModelDirectory(string? template)
    {
        directory.Write("tokenizer_config.json", JsonSerializer.Serialize(new Dictionary<string, object?> { ["bos_token"] = "<|bos|>", ["chat_template"] = template }));
    }

    internal string Path => directory.Path;

    internal string Name => System.IO.Path.GetFileName(directory.Path);

    public void Dispose() => directory.Dispose();
}
