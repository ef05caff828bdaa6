namespace DeltaKV.Compression.Eviction;

/// <summary>What a policy has the model read after a prompt, part by part; nothing, for most policies.</summary>
internal sealed class PromptProbe(IProbingPolicy? policy)
{
    private int[] tokens = [];
    private int done;

    /// <summary>Tokens still to read.</summary>
    internal ReadOnlySpan<int> Left => tokens.AsSpan(done);

    /// <summary>Whether the next tokens are its.</summary>
    internal bool IsReading => tokens.Length > done;

    /// <summary>Whether a part was begun and not forgotten.</summary>
    internal bool HasPart => tokens.Length > 0;

    /// <summary>Tokens read of the part.</summary>
    internal int Done => done;

    /// <summary>Where the part begins that is being repeated.</summary>
    internal int Position { get; private set; }

    /// <summary>Whether nothing has been read of the first part, which begins at a position.</summary>
    internal bool IsFresh(int first) => done == 0 && Position == first;

    /// <summary>Begins with what comes after a position.</summary>
    internal void Begin(ReadOnlySpan<int> prompt, int position)
    {
        Position = position;
        Next(prompt);
    }

    /// <summary>That many tokens were read.</summary>
    internal void Read(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Left.Length);
        done += count;
    }

    /// <summary>The part is forgotten.</summary>
    internal void Forget() => (tokens, done) = ([], 0);

    /// <summary>After a part: begins the next one, if there is any.</summary>
    internal bool Continue(ReadOnlySpan<int> prompt)
    {
        Position = Math.Min(prompt.Length, Position + policy!.ChunkTokens);
        if (Position == prompt.Length)
            return false;
        Next(prompt);
        return true;
    }

    private void Next(ReadOnlySpan<int> prompt)
    {
        var part = prompt.Slice(Position, Math.Min(policy!.ChunkTokens, prompt.Length - Position));
        (tokens, done) = ([.. policy.Instruction, .. part], 0);
    }
}
