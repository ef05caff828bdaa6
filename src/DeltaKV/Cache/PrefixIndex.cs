using System.Diagnostics;
using System.Numerics;

namespace DeltaKV.Cache;

/// <summary>
/// Finds the block that holds given tokens after a given prefix. Full blocks form a tree: a block's identity is its parent block and its
/// own tokens, so a chain of look-ups from <see cref="Root"/> matches exactly the token ids from position 0.
/// </summary>
/// <remarks>
/// Tokens are compared, not only hashed: two prompts never share a block by accident. A parent outlives its children, because whoever holds
/// a block holds its parents and gives them back last; so block numbers identify parents safely.
/// </remarks>
internal sealed class PrefixIndex
{
    /// <summary>The parent of first blocks.</summary>
    internal const int Root = -1;

    private const int None = -2;

    // A popular prefix may have thousands of continuations; looking at the newest few finds most partial matches.
    private const int MaxContinuationsScanned = 32;

    private readonly int blockSize;
    private readonly Dictionary<(int Parent, ulong Hash), int> blocks;
    private readonly int[] tokens;
    private readonly ulong[] hashes;
    private readonly int[] parents;
    private readonly int[] firstChild;
    private readonly int[] nextSibling;
    private readonly int[] previousSibling;

    internal PrefixIndex(int blockCount, int blockSize)
    {
        this.blockSize = blockSize;
        blocks = new Dictionary<(int, ulong), int>(blockCount);
        tokens = new int[(long)blockCount * blockSize];
        hashes = new ulong[blockCount];
        parents = NewLinks(blockCount);
        firstChild = NewLinks(blockCount + 1);
        nextSibling = NewLinks(blockCount);
        previousSibling = NewLinks(blockCount);
    }

    internal bool Contains(int block) => parents[block] != None;

    internal bool TryFind(int parent, ReadOnlySpan<int> content, out int block) =>
        blocks.TryGetValue((parent, Hash(content)), out block) && TokensOf(block).SequenceEqual(content);

    /// <summary>The block after <paramref name="parent"/> that begins with most of <paramref name="content"/>, and how many tokens agree.</summary>
    internal (int Block, int Agreeing) FindLongest(int parent, ReadOnlySpan<int> content)
    {
        var best = (Block: None, Agreeing: 0);
        var child = firstChild[parent + 1];
        for (var scanned = 0; child != None && scanned < MaxContinuationsScanned; scanned++)
        {
            var agreeing = TokensOf(child).CommonPrefixLength(content);
            if (agreeing > best.Agreeing)
                best = (child, agreeing);
            child = nextSibling[child];
        }
        return best;
    }

    /// <summary>Adds a block; false in the rare case that another block has the same hash, and the block stays unknown.</summary>
    internal bool TryAdd(int block, int parent, ReadOnlySpan<int> content)
    {
        var hash = Hash(content);
        if (!blocks.TryAdd((parent, hash), block))
            return false;
        content.CopyTo(TokensOf(block));
        hashes[block] = hash;
        parents[block] = parent;

        var sibling = firstChild[parent + 1];
        nextSibling[block] = sibling;
        previousSibling[block] = None;
        if (sibling != None)
            previousSibling[sibling] = block;
        firstChild[parent + 1] = block;
        return true;
    }

    internal void Remove(int block)
    {
        if (firstChild[block + 1] != None)
            throw new UnreachableException($"Block {block} is evicted before the block {firstChild[block + 1]} that continues it.");
        blocks.Remove((parents[block], hashes[block]));

        var (previous, next) = (previousSibling[block], nextSibling[block]);
        if (next != None)
            previousSibling[next] = previous;
        if (previous != None)
            nextSibling[previous] = next;
        else
            firstChild[parents[block] + 1] = next;
        parents[block] = None;
    }

    private static int[] NewLinks(int count)
    {
        var links = new int[count];
        Array.Fill(links, None);
        return links;
    }

    private static ulong Hash(ReadOnlySpan<int> content)
    {
        const ulong Multiplier = 0x9E3779B97F4A7C15;
        var hash = Multiplier;
        foreach (var token in content)
            hash = BitOperations.RotateLeft((hash ^ (uint)token) * Multiplier, 29);
        return hash;
    }

    private Span<int> TokensOf(int block) => tokens.AsSpan(block * blockSize, blockSize);
}
