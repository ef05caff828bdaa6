using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using DeltaKV.Chat;
using DeltaKV.Tests.Engine;
using Microsoft.Extensions.AI;

namespace DeltaKV.Tests.Chat;

public sealed class ChatTelemetryTests : IDisposable
{
    private readonly ChatModelDirectory directory = new("{% for m in messages %}{{ m.content }}{% endfor %}");
    private readonly HashModelRunner runner = new(64, 8);
    private readonly DeltaKVChatClient client;
    private readonly ConcurrentQueue<Activity> activities = [];
    private readonly ConcurrentQueue<(string Name, double Value, Dictionary<string, object?> Tags)> measurements = [];
    private readonly ActivityListener activityListener;
    private readonly MeterListener meterListener = new();

    public ChatTelemetryTests()
    {
        activityListener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "DeltaKV",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            // Other tests run at the same time; the model's name tells ours apart.
            ActivityStopped = activity =>
            {
                if (activity.DisplayName == $"chat {directory.Name}")
                    activities.Enqueue(activity);
            },
        };
        ActivitySource.AddActivityListener(activityListener);
        meterListener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "DeltaKV")
                listener.EnableMeasurementEvents(instrument);
        };
        meterListener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        meterListener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        meterListener.Start();
        client = new DeltaKVChatClient(TestEngine.Create(runner, directory: directory.Path), new ChatClientOptions { OwnsEngine = true });
    }

    public void Dispose()
    {
        client.Dispose();
        activityListener.Dispose();
        meterListener.Dispose();
        directory.Dispose();
    }

    [Fact]
    public async Task ARequestIsASpanWithTheConventionsNames()
    {
        var response = await client.GetResponseAsync("Hello there", new ChatOptions { MaxOutputTokens = 4, Temperature = 0.5f, Seed = 3, StopSequences = ["zzz"] });

        var span = Assert.Single(activities);
        Assert.Equal(ActivityKind.Client, span.Kind);
        Assert.Equal("chat", span.GetTagItem("gen_ai.operation.name"));
        Assert.Equal("deltakv", span.GetTagItem("gen_ai.provider.name"));
        Assert.Equal(directory.Name, span.GetTagItem("gen_ai.request.model"));
        Assert.Equal(response.ResponseId, span.GetTagItem("gen_ai.response.id"));
        Assert.Equal(response.ConversationId, span.GetTagItem("gen_ai.conversation.id"));
        Assert.Equal(4, span.GetTagItem("gen_ai.usage.output_tokens"));
        Assert.Equal(0.5f, span.GetTagItem("gen_ai.request.temperature"));
        Assert.Equal(new[] { "length" }, span.GetTagItem("gen_ai.response.finish_reasons"));
        Assert.Equal(ActivityStatusCode.Unset, span.Status);
    }

    [Fact]
    public async Task ARequestIsMeasured()
    {
        await client.GetResponseAsync("Hello there", new ChatOptions { MaxOutputTokens = 4 });
        client.GetService<DeltaKV.Engine.LlmEngine>()!.Dispose();
        meterListener.RecordObservableInstruments();

        Assert.Contains(Ours(), m => m.Name == "gen_ai.client.token.usage" && m.Value == 4 && (string?)m.Tags["gen_ai.token.type"] == "output");
        Assert.Contains(Ours(), m => m.Name == "gen_ai.client.operation.duration" && m.Value > 0 && !m.Tags.ContainsKey("error.type"));
        Assert.Single(Ours(), m => m.Name == "gen_ai.server.request.duration");
        Assert.Single(Ours(), m => m.Name == "gen_ai.server.time_to_first_token");
        Assert.Single(Ours(), m => m.Name == "gen_ai.server.time_per_output_token");
        Assert.Single(Ours(), m => m.Name == "deltakv.request.kv.bytes" && m.Value > 0);
        Assert.Single(Ours(), m => m.Name == "deltakv.request.kv.peak_bytes" && m.Value > 0);
        Assert.Single(Ours(), m => m.Name == "deltakv.request.kv.ratio" && m.Value >= 1);
    }

    [Fact]
    public async Task TheLoadOfTheEngineIsObservable()
    {
        runner.OnForward = _ => meterListener.RecordObservableInstruments();
        await client.GetResponseAsync("Hello there", new ChatOptions { MaxOutputTokens = 4 });

        Assert.Contains(Ours(), m => m.Name == "deltakv.sequences.running" && m.Value == 1);
        Assert.Contains(Ours(), m => m.Name == "deltakv.kv.bytes" && m.Value > 0);
        Assert.Contains(Ours(), m => m.Name == "deltakv.kv.full_bytes" && m.Value > 0);
        Assert.Contains(Ours(), m => m.Name == "deltakv.tokens.computed" && m.Value > 0);
    }

    [Fact]
    public async Task AFailureIsRecordedWithItsType()
    {
        runner.OnForward = _ => throw new InvalidDataException("broken");
        await Assert.ThrowsAsync<InvalidDataException>(() => client.GetResponseAsync("Hello there"));

        var span = Assert.Single(activities);
        Assert.Equal((ActivityStatusCode.Error, typeof(InvalidDataException).FullName), (span.Status, span.GetTagItem("error.type")));
        Assert.Contains(Ours(), m => m.Name == "gen_ai.client.operation.duration" && (string?)m.Tags["error.type"] == typeof(InvalidDataException).FullName);
    }

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        measurements.Enqueue((instrument.Name, value, new Dictionary<string, object?>(tags.ToArray())));

    private IEnumerable<(string Name, double Value, Dictionary<string, object?> Tags)> Ours() =>
        measurements.Where(m => (string?)m.Tags.GetValueOrDefault("gen_ai.response.model") == directory.Name);
}
