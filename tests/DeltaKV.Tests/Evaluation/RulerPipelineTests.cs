using System.Text.Json;
using DeltaKV.Cli;
using DeltaKV.Evaluation;
using DeltaKV.Evaluation.Ruler;
using DeltaKV.Tests.Cli;
using DeltaKV.Tests.Model;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Evaluation;

/// <summary>RULER's tasks for models with templates of their own, from the command line to the results.</summary>
public sealed class RulerPipelineTests
{
    [Fact]
    public async Task AModelThatKnowsNothingIsAskedEverythingAndAnswersNothing()
    {
        using var model = new TinyModel(3, vocabulary: 4096, positions: 4096);
        File.Copy(Path.Combine(TestModels.Needle, "tokenizer.json"), Path.Combine(model.Path, "tokenizer.json"));
        WriteTemplate(model.Path, "qwen2.5.jinja");
        var json = Path.Combine(model.Path, "out.json");

        var run = await CommandRun.OfAsync(
            "eval", "--model", model.Path, "--device", "cpu", "--method", "int4:recent=32", "--task", "niah-single,vt,kv,passkey,multi-turn", "--length", "2048",
            "--questions", "1", "--text-tokens", "0", "--json", json);

        Assert.Equal((ExitCode.Success, ""), (run.ExitCode, run.ExitCode == ExitCode.Success ? "" : run.Error));
        using var results = JsonDocument.Parse(await File.ReadAllTextAsync(json));
        var rows = results.RootElement.EnumerateArray().ToArray();
        Assert.Equal(2 * 6, rows.Length);
        Assert.All(rows, row => Assert.Equal(0, row.GetProperty("accuracy").GetDouble()));
        // Documents fill their length, so that what is held of them is the codes' share and the window's.
        Assert.All(rows.Where(r => r.GetProperty("method").GetString() != "full"), row => Assert.InRange(row.GetProperty("ratio").GetDouble(), 0.3, 0.45));
        Assert.All(rows, row => Assert.InRange(row.GetProperty("fullKvBytes").GetInt64() / (2 * 2 * 2 * 64), 1300, 2048));
    }

    [Theory]
    [InlineData("llama3.jinja")]
    [InlineData("mistral.jinja")]
    [InlineData("qwen2.5.jinja")]
    [InlineData("qwen3.jinja")]
    public void QuestionsReadAsTheTemplateWritesThem(string template)
    {
        using var directory = new TemporaryDirectory();
        File.Copy(Path.Combine(TestModels.Needle, "tokenizer.json"), directory.File("tokenizer.json"));
        WriteTemplate(directory.Path, template);
        var tokenizer = ModelTokenizer.Load(directory.Path);

        var document = new RulerDocumentBuilder(tokenizer).Build("passkey", () => new SeededRandom(5), 1024);

        var (question, problem) = (document.Questions[0], RulerTask.Create("passkey", new SeededRandom(5), 1));
        var text = tokenizer.Decode(question.Prompt);
        var start = text.IndexOf("There is an important info", StringComparison.Ordinal);
        var end = text.IndexOf(problem.Questions[0].Text, StringComparison.Ordinal) + problem.Questions[0].Text.Length;
        Assert.Equal(tokenizer.Decode(tokenizer.EncodeRendered(tokenizer.RenderChat([text[start..end]]))), text);
        Assert.True(question.Prompt.Length + question.MaximumTokens <= 1024 && document.Context.Length + question.Turn.Length + question.MaximumTokens <= 1024);
    }

    private static void WriteTemplate(string directory, string template) => File.WriteAllText(
        Path.Combine(directory, "tokenizer_config.json"),
        JsonSerializer.Serialize(new Dictionary<string, object?>
        {
            ["bos_token"] = "<|bos|>",
            ["eos_token"] = "<|end|>",
            ["chat_template"] = File.ReadAllText(RepositoryRoot.PathTo("tests", "DeltaKV.Tests", "Fixtures", "templates", template)),
        }));
}
