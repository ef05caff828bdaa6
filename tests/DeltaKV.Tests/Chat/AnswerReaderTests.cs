using DeltaKV.Chat;
using Microsoft.Extensions.AI;

namespace DeltaKV.Tests.Chat;

public sealed class AnswerReaderTests
{
    private const string Answer = "<think>\nFirst <b>, then.\n</think>\n\nHere: <tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": 1}}\n</tool_call>\nDone < 3.";

    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    public void TheResultDoesNotDependOnThePieces(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 200; round++)
        {
            var reader = new AnswerReader(readsThinking: true, readsTools: true, beginsInReasoning: false);
            var contents = new List<AIContent>();
            for (var position = 0; position < Answer.Length;)
            {
                var length = Math.Min(random.Next(1, 12), Answer.Length - position);
                reader.Append(Answer.Substring(position, length), contents);
                position += length;
            }
            reader.Flush(contents);

            Assert.Equal("First <b>, then.", reader.Reasoning);
            Assert.Equal("Here: Done < 3.", reader.Text);
            Assert.Equal("f", Assert.Single(reader.Calls).Name);
            Assert.Equal(reader.Text, string.Concat(contents.OfType<TextContent>().Select(content => content.Text)));
        }
    }

    [Fact]
    public void WithoutTagsTextPassesAtOnce()
    {
        var reader = new AnswerReader(readsThinking: false, readsTools: false, beginsInReasoning: false);
        var contents = new List<AIContent>();
        reader.Append("a <tool_call> <think", contents);
        Assert.Equal("a <tool_call> <think", Assert.IsType<TextContent>(Assert.Single(contents)).Text);
    }
}
