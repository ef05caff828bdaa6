using DeltaKV.Evaluation;
using DeltaKV.Gpu;
using DeltaKV.Model;
using DeltaKV.Tests.Model;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Engine;

/// <summary>A small model with a key/value method and one sequence at a time, on the path that evaluation takes: what it thinks of an answer that is given.</summary>
internal sealed class MethodJudge : IDisposable
{
    private readonly ModelDevice<BFloat16> device;
    private readonly DeviceSession session;

    internal MethodJudge(string model, string method)
    {
        var directory = DeviceEngine.Fixture(model);
        var options = MethodRun.Options(directory, method, 1, 4 * MethodRun.MaxLength) with { PrefixCaching = false };
        using var factory = new DeviceRunnerFactory(TestAccelerators.Default);
        var config = ModelConfig.Load(directory);
        using var weights = ModelWeights.Open(directory);
        device = factory.OpenModel(config, weights, factory.Plan(config, weights, options), options);
        session = new DeviceSession(device, config, [], MethodRun.MaxLength, MethodRun.MaxBatchTokens);
    }

    /// <summary>The token after a prompt, and the logits of those after each token of the answer but the last.</summary>
    internal (int First, float[][] Logits) Follow(int[] tokens, int promptLength)
    {
        var sequence = session.Open(tokens.AsSpan(0, promptLength));
        var first = session.Extend(sequence, tokens, promptLength);
        var logits = new float[tokens.Length - 1 - promptLength][];
        session.Follow(sequence, tokens.AsSpan(0, tokens.Length - 1), promptLength, (index, row) => logits[index] = row.ToArray());
        sequence.Release();
        return (first, logits);
    }

    public void Dispose()
    {
        session.Dispose();
        device.Dispose();
    }
}
