using System.Text;
using Microsoft.Extensions.AI;

namespace DeltaKV.Chat;

/// <summary>
/// Divides the text of an answer, as it streams, into text, reasoning (<c>&lt;think&gt;</c>) and tool calls (<c>&lt;tool_call&gt;</c>).
/// Only what could be the beginning of a tag is held back.
/// </summary>
internal sealed class AnswerReader(bool readsThinking, bool readsTools, bool beginsInReasoning)
{
    private enum Part
    {
        Text,
        Reasoning,
        Call,
    }

    private const string ThinkStart = "<think>";
    private const string ThinkEnd = "</think>";
    private const string CallStart = "<tool_call>";
    private const string CallEnd = "</tool_call>";

    private readonly string[] textTags = [.. (readsThinking ? [ThinkStart] : Array.Empty<string>()), .. (readsTools ? [CallStart] : Array.Empty<string>())];
    private readonly StringBuilder text = new();
    private readonly StringBuilder reasoning = new();
    private readonly List<FunctionCallContent> calls = [];
    private Part part = beginsInReasoning ? Part.Reasoning : Part.Text;
    private bool dropsWhiteSpace;
    private string pending = "";

    /// <summary>The text of the answer so far, reasoning and calls left out.</summary>
    internal string Text => text.ToString();

    internal string Reasoning => reasoning.ToString();

    internal IReadOnlyList<FunctionCallContent> Calls => calls;

    internal bool IsReasoning => part == Part.Reasoning;

    /// <summary>Takes the next piece and adds what is now certain to <paramref name="contents"/>.</summary>
    internal void Append(string piece, IList<AIContent> contents)
    {
        pending += piece;
        while (FindTag() is (var index, { } tag))
        {
            var before = pending[..index];
            pending = pending[(index + tag.Length)..];
            Emit(before, contents, isWholePart: true);
            part = tag switch
            {
                ThinkStart => Part.Reasoning,
                CallStart => Part.Call,
                _ => Part.Text,
            };
            dropsWhiteSpace = true;
        }
        if (part == Part.Call)
            return;
        var certain = pending.Length - LongestTagBeginning();
        // Space at the end of a thought is not part of it, and whether this is the end shows later.
        while (part == Part.Reasoning && certain > 0 && char.IsWhiteSpace(pending[certain - 1]))
            certain--;
        Emit(pending[..certain], contents, isWholePart: false);
        pending = pending[certain..];
    }

    /// <summary>No more follows: what is held back is text, and so is a call that was cut off.</summary>
    internal void Flush(IList<AIContent> contents)
    {
        if (part == Part.Call)
        {
            part = Part.Text;
            pending = CallStart + pending;
        }
        Emit(pending, contents, isWholePart: false);
        pending = "";
    }

    private string[] Tags => part switch
    {
        Part.Text => textTags,
        Part.Reasoning => [ThinkEnd],
        _ => [CallEnd],
    };

    private (int Index, string? Tag) FindTag()
    {
        var first = (Index: int.MaxValue, Tag: (string?)null);
        foreach (var tag in Tags)
        {
            var index = pending.IndexOf(tag, StringComparison.Ordinal);
            if (index >= 0 && index < first.Index)
                first = (index, tag);
        }
        return first;
    }

    private int LongestTagBeginning()
    {
        var longest = 0;
        foreach (var tag in Tags)
        {
            for (var length = Math.Min(tag.Length - 1, pending.Length); length > longest; length--)
            {
                if (pending.AsSpan().EndsWith(tag.AsSpan(0, length)))
                    longest = length;
            }
        }
        return longest;
    }

    private void Emit(string piece, IList<AIContent> contents, bool isWholePart)
    {
        if (part == Part.Call)
        {
            EmitCall(piece, contents);
            return;
        }
        // Line breaks around tags are layout of the template, not of the answer.
        if (dropsWhiteSpace)
            piece = piece.TrimStart();
        if (isWholePart && part == Part.Reasoning)
            piece = piece.TrimEnd();
        if (piece.Length == 0)
            return;
        dropsWhiteSpace = false;
        (part == Part.Reasoning ? reasoning : text).Append(piece);
        contents.Add(part == Part.Reasoning ? new TextReasoningContent(piece) : new TextContent(piece));
    }

    private void EmitCall(string json, IList<AIContent> contents)
    {
        if (ToolCallParser.TryParse(json) is { } call)
        {
            calls.Add(call);
            contents.Add(call);
            return;
        }
        // Not what was agreed on: the caller sees what the model wrote.
        var raw = CallStart + json + CallEnd;
        text.Append(raw);
        contents.Add(new TextContent(raw));
    }
}
