using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.Eviction;
using DeltaKV.Kernels;
using DeltaKV.Tests.Model;
using Xunit.Abstractions;

namespace DeltaKV.Tests.Engine;

/// <summary>Sequences of very different lengths that come and go, so that steps have every number of rows, method by method.</summary>
/// <remarks>bf16 kernels sum in an order that depends on the rows, so a token may lag behind the best one of a judge by rounding; see <see cref="BatchedAnswersTests"/>.</remarks>
public sealed class MethodsTogetherTests(ITestOutputHelper output)
{
    private const double Rounding = 6e-2;

    // Coded blocks of a layer when memory is tight.
    private const int LayerCodes = 18;

    /// <summary>Answers are those of the same method with the request alone. More than eight share steps.</summary>
    [Theory]
    [InlineData("llama", "int4:recent=16", 1)]
    [InlineData("llama", "int3:recent=16,observers=0,top=32,hot=32", 2)]
    [InlineData("llama", "int8:recent=16,table=cw/wc,observers=0,top=24,heads=each", 3)]
    [InlineData("llama", "int3:recent=16,table=cw/wc,observers=0,top=32,hot=48", 4)]
    [InlineData("llama", "int8:recent=16,first=recomputed,observers=0,top=32,heads=each", 5)]
    [InlineData("llama", "int8:recent=16,first=recomputed,table=cc/wc,observers=0,top=32,hot=32", 6)]
    [InlineData("llama", "int4:neighbours=2,stride=4,search=4,table=cw/3c,recent=16", 7)]
    [InlineData("llama", "kivi-8:full=0,recent=0,observers=0,top=40,heads=each", 8)]
    [InlineData("llama", "int8:table=ww/wc,recent=16", 9)]
    [InlineData("llama", "int8:neighbours=4,stride=4,bits=4,observers=0,top=32,hot=64,recent=16", 10)]
    [InlineData("llama", "int8:full=0,fulllayers=kivi8,observers=0,top=32,table=cc/cw,heads=each,sinks=32,recent=16", 11)]
    [InlineData("llama", "quest:top=32,dense=0", 12)]
    [InlineData("llama", "snapkv:budget=60,window=8+int3:recent=16", 13)]
    [InlineData("llama", "streaming-llm:budget=70+int8:recent=16,first=recomputed", 14)]
    [InlineData("llama", "pyramidkv:share=60,window=8+kivi-8:recent=16", 15)]
    [InlineData("llama", "kvzip:share=60,chunk=64+int8:recent=16", 16)]
    [InlineData("mistral", "int3:recent=16,first=recomputed,observers=0,top=32,hot=32", 17)]
    [InlineData("mistral", "kivi-4:recent=0,observers=0,top=32", 18)]
    [InlineData("mistral", "streaming-llm:budget=70+int3:recent=16,first=recomputed", 19)]
    [InlineData("qwen3", "int8:table=cw/w3,recent=16,observers=0,top=32,heads=each", 20)]
    [InlineData("qwen3", "omnikv:observers=0,top=32,heads=each", 21)]
    public void Answers_are_those_of_each_request_alone(string model, string method, int seed)
    {
        var random = new Random(seed);
        // No chunk is cut, so that what is coded when is the same.
        int[] lengths = [1, 1, 2, random.Next(3, 20), 16, random.Next(20, 40), 33, 48, random.Next(60, 90), random.Next(90, 140), random.Next(140, 200)];
        random.Shuffle(lengths);
        var requests = Array.ConvertAll(lengths, length => MethodRun.Request(MethodRun.Words(random, length), random.Next(2, 36)));
        using (var run = new MethodRun(model, method, lengths.Length, (lengths.Length + 5) * MethodRun.MaxLength, prefixCaching: false))
        {
            run.Answer(random, requests, []);
            Assert.Equal(default, run.Cache.Usage);
        }

        using var judge = new MethodJudge(model, method);
        foreach (var request in requests)
        {
            var (first, logits) = judge.Follow(request.Tokens.ToArray(), request.PromptLength);
            var what = $"{method}, seed {seed}, prompt of {request.PromptLength}";
            Assert.True(first == request.Tokens[request.PromptLength], $"{what}: the answer begins with {request.Tokens[request.PromptLength]}, alone with {first}.");
            AssertBest(logits, request.Tokens[(request.PromptLength + 1)..], what);
        }
    }

    /// <summary>Prompts that begin alike, over a cache with room for a few, some of which nobody waits for, with methods that lose nothing: answers are the float32 model's.</summary>
    [Theory]
    [InlineData("llama", "identity:recent=16", 31)]
    [InlineData("mistral", "identity:recent=16,first=recomputed", 32)]
    [InlineData("llama", "identity:recent=16,neighbours=4,stride=4,search=2", 33)]
    [InlineData("llama", "identity:recent=16,first=recomputed,observers=0,top=320,hot=320", 34)]
    [InlineData("mistral", "identity:recent=16,observers=0,top=320,heads=each", 35)]
    [InlineData("llama", "identity:recent=16,table=rc/cr,observers=0,top=320,hot=320", 36)]
    [InlineData("llama", "snapkv:budget=512+identity:recent=16", 137)]
    [InlineData("qwen3", "streaming-llm:budget=512+identity:recent=16,first=recomputed", 38)]
    public void Answers_are_the_uncompressed_models_though_memory_is_tight(string model, string method, int seed)
    {
        var random = new Random(seed);
        var starts = Enumerable.Range(0, 3).Select(_ => MethodRun.Words(random, 90)).ToArray();
        var requests = Enumerable.Range(0, 16).Select(_ => MethodRun.Request(
            [.. starts[random.Next(starts.Length)].Take(random.Next(90)), .. MethodRun.Words(random, random.Next(1, 40))],
            random.Next(2) == 0 ? random.Next(60, 120) : random.Next(1, 16))).ToArray();
        using (var run = new MethodRun(model, method, 6, 10 * MethodRun.MaxLength, prefixCaching: true))
        {
            var giveBack = Squeeze(run);
            run.Answer(random, requests, [.. requests.Select(_ => random.Next(6) == 0 ? random.Next(0, 8) : int.MaxValue)]);
            output.WriteLine($"{run.Preemptions} preemptions");
            Assert.True(run.Preemptions > 0, $"{method}, seed {seed}: the cache was not tight enough to test anything.");
            giveBack();
            Assert.Equal(default, run.Cache.Usage);
        }

        using var judge = new ModelHarness<float>(
            TestAccelerators.Default, DeviceEngine.Fixture(model), MethodRun.MaxLength, shape => new SingleKernels(TestAccelerators.Default, shape));
        foreach (var request in requests.Where(request => request.OutputCount > 0))
        {
            judge.Restart();
            var rows = judge.Run(request.Tokens);
            AssertBest(rows.AsSpan(request.PromptLength - 1, request.OutputCount), request.Tokens[request.PromptLength..], $"{method}, seed {seed}, prompt of {request.PromptLength}");
        }
    }

    /// <summary>Conversations whose turns start from what was kept, with a method and with another that stores the same tokens in another form. Where the best two tokens are close an answer goes another way.</summary>
    [Theory]
    [InlineData("full", "identity:recent=16,first=recomputed", 41)]
    [InlineData("full", "identity:recent=16,neighbours=4,stride=4,search=2,table=rc/cr", 42)]
    [InlineData("omnikv:observers=0,top=32,heads=each,sinks=16,recent=16", "identity:full=0,observers=0,top=32,heads=each,recent=16", 43)]
    [InlineData("omnikv:observers=0,top=32,sinks=16,recent=16", "identity:first=recomputed,observers=0,top=32,hot=32,recent=16", 44)]
    [InlineData("streaming-llm:budget=90", "streaming-llm:budget=90+identity:recent=16,first=recomputed", 45)]
    [InlineData("snapkv:budget=60,window=8", "snapkv:budget=60,window=8+identity:recent=16", 46)]
    [InlineData("pyramidkv:share=60,window=8", "pyramidkv:share=60,window=8+identity:recent=32,sinks=0", 47)]
    [InlineData("kvzip:share=60,chunk=64", "kvzip:share=60,chunk=64+identity:recent=16,sinks=16", 48)]
    [InlineData("identity:recent=16,table=cw/wc", "identity:recent=16,table=rw/wr", 49)]
    public void Conversations_are_those_of_another_form_of_the_same_tokens(string method, string other, int seed)
    {
        var expected = Converse(method, seed);
        var actual = Converse(other, seed);
        var different = expected.Zip(actual).Count(turns => !turns.First.SequenceEqual(turns.Second));
        output.WriteLine($"{different} of {expected.Count} differ");
        Assert.True(different <= expected.Count / 3, $"{other}, seed {seed}: {different} of {expected.Count} turns differ from those of {method}.");
    }

    /// <summary>Three turns of four conversations, which take steps together as they come.</summary>
    private static List<int[]> Converse(string method, int seed)
    {
        var random = new Random(seed);
        using var run = new MethodRun("llama", method, 4, 14 * MethodRun.MaxLength, prefixCaching: true);
        var answers = new List<int[]>();
        var histories = Enumerable.Range(0, 4).Select(_ => new List<int>()).ToArray();
        for (var turn = 0; turn < 3; turn++)
        {
            var requests = Array.ConvertAll(histories, history =>
            {
                history.AddRange(MethodRun.Words(random, random.Next(4) == 0 ? random.Next(1, 4) : random.Next(20, 80)));
                return MethodRun.Request([.. history], random.Next(2, 24));
            });
            run.Answer(random, requests, []);
            for (var i = 0; i < requests.Length; i++)
            {
                answers.Add(requests[i].Tokens[requests[i].PromptLength..].ToArray());
                // What comes next is about the same words, whatever was answered.
                histories[i].AddRange(MethodRun.Words(random, requests[i].OutputCount));
            }
        }

        return answers;
    }

    /// <summary>Takes most of the memory away, so that what is left is enough for one sequence and a bit; returns what gives it back.</summary>
    private static Action Squeeze(MethodRun run)
    {
        (BlockPool Pool, int Left)[] pools = run.Cache is EvictingKvCache evicting
            ? [(evicting.Pool, 12), .. evicting.CodePools.Select((pool, kind) => (pool, LayerCodes * evicting.Format.Kept!.Kinds.Count(other => other == kind)))]
            : [(((CodedKvCache)run.Cache).Pools.Codes, LayerCodes)];
        var taken = Array.ConvertAll(pools, pool => Enumerable.Range(0, pool.Pool.FreeCount - pool.Left).Select(_ => pool.Pool.Take()).ToArray());
        return () =>
        {
            for (var i = 0; i < pools.Length; i++)
                Array.ForEach(taken[i], pools[i].Pool.Release);
        };
    }

    private static void AssertBest(ReadOnlySpan<float[]> rows, ReadOnlySpan<int> tokens, string what)
    {
        Assert.Equal(tokens.Length, rows.Length);
        for (var i = 0; i < rows.Length; i++)
        {
            var lag = (rows[i].Max() - rows[i][tokens[i]]) / Math.Sqrt(rows[i].Average(logit => (double)logit * logit));
            Assert.True(lag <= Rounding, $"{what}: token {tokens[i]}, {i} of {rows.Length}, is {lag:g3} of the logits' size below the best, more than rounding ({Rounding}).");
        }
    }
}
