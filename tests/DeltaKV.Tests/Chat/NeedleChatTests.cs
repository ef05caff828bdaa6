using DeltaKV.Chat;
using DeltaKV.Engine;
using DeltaKV.Tests.Model;
using DeltaKV.Tests.Support;
using Microsoft.Extensions.AI;

namespace DeltaKV.Tests.Chat;

/// <summary>The conformance suite over needle-16m on the device of this run.</summary>
public sealed class NeedleChatTests(NeedleChatTests.Needle needle) : ChatClientConformanceTests, IClassFixture<NeedleChatTests.Needle>
{
    protected override IChatClient Client => needle.Client;

    /// <summary>One client for all tests: loading is the longest part of most.</summary>
    public sealed class Needle : IAsyncLifetime
    {
        internal IChatClient Client { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            var options = DeviceEngine.OnDevice(new EngineOptions { MaxSequences = 8, MaxBatchTokens = 512, KvCacheBytes = 64 << 20 });
            Client = new DeltaKVChatClient(await LlmEngine.LoadAsync(TestModels.Needle, options), new ChatClientOptions { OwnsEngine = true });
        }

        public Task DisposeAsync()
        {
            Client.Dispose();
            return Task.CompletedTask;
        }
    }
}
