using DeltaKV.Cache;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.Eviction;
using DeltaKV.Compression.Eviction.Kept;
using DeltaKV.Compression.Kivi;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Tests.Compression.Eviction;

public class EvictingKvCacheTests
{
    private const int Layers = 3;
    private static readonly AttentionShape Shape = new(4, 2, 64);

    [Theory]
    [InlineData("snapkv:budget=100", 1000, 64)]
    [InlineData("snapkv:budget=100", 1000, 1000)]
    [InlineData("snapkv:budget=100,window=64", 130, 7)]
    [InlineData("streaming-llm:share=25", 777, 200)]
    public void A_prompt_is_whole_until_its_end_and_no_larger_than_its_budget_after(string method, int length, int chunk)
    {
        var cache = Create(method, 100);
        var prompt = Tokens(0, length);
        var sequence = Admit(cache, prompt);
        Feed(cache, sequence, prompt, length - 1, chunk);
        Assert.Equal(0, sequence.EvictedEnd);
        Assert.Equal(Layers * ((length + 62) / 64), cache.Pool.HeldCount);
        Feed(cache, sequence, prompt, length, chunk);
        Assert.Equal(length, sequence.EvictedEnd);
        Assert.Equal(-1, sequence.QuerySlot);
        foreach (var (layer, i) in sequence.Layers.Select((layer, i) => (layer, i)))
            Assert.Equal(length - cache.Format.Policy.Budget(i, length), layer.Start);
        Assert.Equal(sequence.Layers.Sum(layer => layer.Held), cache.Pool.HeldCount);
        Assert.Equal(cache.Usage, sequence.Usage);
        sequence.Release();
        AssertAllFree(cache);
    }

    [Fact]
    public void Questions_continue_from_notes_as_they_were_kept()
    {
        var cache = Create("snapkv:share=25", 200, prefixCaching: true);
        var notes = Tokens(0, 1000);
        var first = Admit(cache, notes);
        Feed(cache, first, notes, notes.Length, 256);
        var starts = first.Layers.Select(layer => layer.Start).ToArray();
        first.Release();
        Assert.Equal(0, cache.Usage.TotalBytes);

        var questions = Enumerable.Range(1, 4).Select(i => (int[])[.. notes, .. Tokens(i, 40 + i)]).ToArray();
        for (var round = 0; round < 2; round++)
        {
            var sequences = questions.Select(question => Admit(cache, question)).ToArray();
            for (var i = 0; i < sequences.Length; i++)
            {
                Assert.InRange(sequences[i].Length, notes.Length, questions[i].Length - 1);
                Feed(cache, sequences[i], questions[i], questions[i].Length, 64);
                Assert.Equal(1000, sequences[i].EvictedEnd);
                Assert.Equal(starts, sequences[i].Layers.Select(layer => layer.Start));
            }

            // What they share is counted once over all, in full in each.
            Assert.True(cache.Usage.RawBytes < sequences.Sum(sequence => sequence.Usage.RawBytes));
            foreach (var sequence in sequences)
                sequence.Release();
        }

        Forget(cache);
        AssertAllFree(cache);
    }

    [Theory]
    [InlineData("h2o:share=50")]
    [InlineData("snapkv:share=50")]
    public void Questions_wait_for_others_rather_than_forget_what_they_start_from(string method)
    {
        // Twice the notes: what is kept of them and a few copies of it, but not all that is asked.
        var cache = Create(method, Layers * 32, prefixCaching: true);
        var notes = Tokens(0, 1000);
        var first = Admit(cache, notes);
        Feed(cache, first, notes, notes.Length, 256);
        first.Release();
        var waiting = new Queue<int[]>(Enumerable.Range(1, 12).Select(i => (int[])[.. notes, .. Tokens(i, 40 + i)]));
        var running = new Queue<EvictingSequence>();
        var most = 0;
        while (waiting.Count > 0)
        {
            var question = waiting.Peek();
            var sequence = (EvictingSequence)cache.Open();
            if (!sequence.TryAdmit(question))
            {
                Assert.NotEmpty(running);
                running.Dequeue().Release();
                continue;
            }

            Assert.Equal(notes.Length, sequence.EvictedEnd);
            Assert.Equal(notes.Length, sequence.Length);
            Feed(cache, sequence, question, question.Length, 64);
            running.Enqueue(sequence);
            waiting.Dequeue();
            most = Math.Max(most, running.Count);
        }

        Assert.True(most > 1);
        foreach (var sequence in running)
            sequence.Release();
        Forget(cache);
        AssertAllFree(cache);
    }

    [Fact]
    public void A_conversation_that_outgrows_its_budget_is_evicted_from_again_and_leaves_what_others_hold()
    {
        var cache = Create("snapkv:budget=128", 200, prefixCaching: true);
        var notes = Tokens(0, 600);
        var first = Admit(cache, notes);
        Feed(cache, first, notes, notes.Length, 600);
        first.Release();

        int[] longer = [.. notes, .. Tokens(1, 400)];
        int[] shorter = [.. notes, .. Tokens(2, 20)];
        var second = Admit(cache, shorter);
        var third = Admit(cache, longer);
        Feed(cache, second, shorter, shorter.Length, 100);
        Feed(cache, third, longer, longer.Length, 100);
        Assert.Equal(600, second.EvictedEnd);
        Assert.Equal(1000, third.EvictedEnd);
        Assert.All(third.Layers, layer => Assert.Equal(1000 - 128, layer.Start));
        Assert.Empty(second.Layers[0].Blocks.Where(block => block >= 0).Intersect(third.Layers[0].Blocks));
        second.Release();
        third.Release();
        Forget(cache);
        AssertAllFree(cache);
    }

    [Fact]
    public void A_sequence_computed_again_is_evicted_from_where_it_was()
    {
        var cache = Create("streaming-llm:budget=64", 60);
        var all = Tokens(0, 500);
        var sequence = Admit(cache, all[..300]);
        List<int> ends = [];
        Feed(cache, sequence, all, 480, 60, ends);
        sequence.Release();
        Assert.True(sequence.TryAdmit(all.AsSpan(0, 480)));
        List<int> again = [];
        Feed(cache, sequence, all, 480, 300, again);
        Assert.Equal([300, 364, 428], ends);
        Assert.Equal(ends, again);
    }

    [Theory]
    [InlineData("snapkv:budget=64", 1)]
    [InlineData("snapkv:share=20,window=5", 2)]
    [InlineData("streaming-llm:budget=64", 3)]
    [InlineData("streaming-llm:share=50", 4)]
    [InlineData("pyramidkv:share=25", 5)]
    [InlineData("compresskv:budget=64", 6)]
    [InlineData("h2o:budget=64", 7)]
    [InlineData("kvzip:share=25,chunk=100", 8)]
    [InlineData("kvzip:budget=64", 9)]
    [InlineData("snapkv:budget=100", 11, 10, 32)]
    [InlineData("snapkv:share=50,window=5", 12, 12, 0)]
    [InlineData("streaming-llm:budget=100", 13, 10, 64)]
    [InlineData("streaming-llm:share=50", 14, 12, 16)]
    [InlineData("pyramidkv:share=50", 15, 12, 32)]
    [InlineData("compresskv:budget=140", 16, 12, 64)]
    [InlineData("kvzip:share=50,chunk=100", 17, 12, 32)]
    public void Random_sequences_in_little_memory_never_lose_a_block(string method, int seed, int codedBlocks = 0, int recent = 0)
    {
        var random = new Random(seed);
        var cache = Create(method, 14, prefixCaching: true, codedBlocks, recent);
        var running = new List<(EvictingSequence Cache, int[] Tokens)>();
        var (evictions, mostCoded) = (0, 0L);
        for (var step = 0; step < 1500; step++)
        {
            if (running.Count < 4 && random.Next(3) == 0)
            {
                int[] prompt = [.. Tokens(0, random.Next(1, 300)), .. Tokens(random.Next(5), random.Next(1, 300))];
                var sequence = (EvictingSequence)cache.Open();
                if (sequence.TryAdmit(prompt))
                    running.Add((sequence, [.. prompt, .. Tokens(random.Next(9), random.Next(300))]));
            }

            var steps = new List<SequenceStep>();
            for (var i = running.Count - 1; i >= 0; i--)
            {
                var (sequence, tokens) = running[i];
                var left = sequence.IsProbing ? sequence.Probe.Length : tokens.Length - sequence.Length;
                var count = Math.Min(Math.Min(random.Next(1, 90), sequence.StepLimit), left);
                if (random.Next(10) == 0)
                    continue;
                if (count == 0 || !sequence.TryReserve(count))
                {
                    sequence.Release();
                    running.RemoveAt(i);
                    continue;
                }

                steps.Add(new SequenceStep(sequence, 0, count));
            }

            Prepare(cache, steps);
            foreach (var part in steps)
            {
                var sequence = (EvictingSequence)part.Cache;
                if (sequence.IsProbing)
                    sequence.CommitProbe(part.Rows);
                else
                    sequence.Commit(running.Single(pair => pair.Cache == sequence).Tokens.AsSpan(0, sequence.Length + part.Rows));
            }

            var ends = running.Select(pair => pair.Cache.EvictedEnd).ToArray();
            cache.Flush();
            evictions += running.Where((pair, i) => pair.Cache.EvictedEnd != ends[i]).Count();
            var held = running.SelectMany(pair => pair.Cache.Layers).SelectMany(layer => layer.Blocks.Skip(layer.FirstBlock)).ToArray();
            if (codedBlocks == 0)
                Assert.DoesNotContain(LayerBlocks.None, held);
            Assert.True(held.Where(block => block != LayerBlocks.None).Distinct().Count() <= cache.Pool.HeldCount);
            mostCoded = Math.Max(mostCoded, running.SelectMany(pair => pair.Cache.Layers).Sum(layer => layer.CodedBlocks));
        }

        Assert.True(evictions > 20, $"Seed {seed}: only {evictions} evictions.");
        Assert.True(codedBlocks == 0 || mostCoded > Layers, $"Seed {seed}: at most {mostCoded} coded blocks.");
        foreach (var (sequence, _) in running)
            sequence.Release();
        Forget(cache);
        AssertAllFree(cache);
    }

    private static EvictingSequence Admit(EvictingKvCache cache, int[] tokens)
    {
        var sequence = (EvictingSequence)cache.Open();
        Assert.True(sequence.TryAdmit(tokens));
        return sequence;
    }

    private static void Feed(EvictingKvCache cache, EvictingSequence sequence, int[] tokens, int length, int chunk, List<int>? evictions = null)
    {
        while (sequence.Length < length)
        {
            var count = Math.Min(Math.Min(chunk, sequence.StepLimit), length - sequence.Length);
            Assert.True(sequence.TryReserve(count));
            Prepare(cache, [new SequenceStep(sequence, 0, count)]);
            sequence.Commit(tokens.AsSpan(0, sequence.Length + count));
            if (cache.Flush())
                evictions?.Add(sequence.EvictedEnd);
        }
    }

    /// <summary>What the device side does when it uploads the tables.</summary>
    private static void Prepare(EvictingKvCache cache, List<SequenceStep> steps)
    {
        foreach (var sequence in cache.Admitted)
            sequence.Row = -1;
        for (var row = 0; row < steps.Count; row++)
            ((EvictingSequence)steps[row].Cache).Row = row;
    }

    /// <summary>Asks for more than there is, so that every snapshot has to go.</summary>
    private static void Forget(EvictingKvCache cache) => Assert.False(cache.TryFree(new BlockNeed(0) { Raw = int.MaxValue }));

    private static void AssertAllFree(EvictingKvCache cache)
    {
        Assert.Equal(cache.Pool.Count, cache.Pool.FreeCount);
        Assert.All(cache.CodePools, pool => Assert.Equal(pool.Count, pool.FreeCount));
        Assert.Equal(default, cache.Usage);
    }

    private static int[] Tokens(int seed, int count)
    {
        var random = new Random(seed + 100);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(1000))];
    }

    /// <summary>Three layers; so many times 64 tokens fit, and so many times 64 coded ones, if any are.</summary>
    private static EvictingKvCache Create(string method, int blocks, bool prefixCaching = false, int codedBlocks = 0, int recent = 0)
    {
        var policy = TestPolicies.Create(method, Layers, Shape.QueryHeads);
        var kept = codedBlocks == 0 ? null : new KeptFormat(
            new CodedKvFormat(Shape, new LinearCodec?[Layers], new CodedKvOptions { Sinks = 0, Recent = recent }, kivi: [.. Enumerable.Repeat(new KiviCode(4, 4), Layers)]),
            policy.WhileDecoding ? policy.Sinks : 0);
        return new EvictingKvCache(
            new EvictionFormat(Shape, Layers, policy, kept), blocks * Layers, kept is null ? [] : [codedBlocks * Layers * 2], 8, new CheckingStore(), prefixCaching);
    }

    private sealed class CheckingStore : IEvictionStore
    {
        public void CopyBlock(int source, int target) => Assert.NotEqual(source, target);

        public int[] CountMarks(int row, int length) => [.. Enumerable.Range(0, Layers * MarkHistogram.Buckets).Select(i => i % (i / MarkHistogram.Buckets + 2) == 0 ? 3 : 1)];

        public void Code(IReadOnlyList<CodingRange> ranges) => Assert.All(ranges, range =>
        {
            Assert.Equal(0, range.First % 32);
            Assert.Equal(0, range.End % 32);
            Assert.InRange(range.First, 0, range.End - 32);
        });

        public void Evict(IReadOnlyList<EvictionJob> jobs)
        {
            foreach (var job in jobs)
            {
                Assert.InRange(job.Keep, 1, job.Count - 1);
                int[] taken = [.. job.Blocks.ToArray().Where(block => block != LayerBlocks.None)];
                Assert.Equal(taken.Length, taken.Distinct().Count());
                if (job.IsInPlace)
                    continue;
                Assert.DoesNotContain(LayerBlocks.None, job.Codes.ToArray());
                Assert.Equal(job.After.CodedEnd - job.After.CodedStart, 32 * job.Codes.Length);
                Assert.Equal(job.Codes.Length, job.Codes.ToArray().Distinct().Count());
                Assert.Equal(((job.Length + 63) / 64) - (job.NewStart / 64), job.Blocks.Length);
            }
        }
    }
}
