using DeltaKV.Chat;
using DeltaKV.Tests.Engine;
using Microsoft.Extensions.AI;

namespace DeltaKV.Tests.Chat;

/// <summary>The conformance suite over the test model, whose answers depend on every token it sees.</summary>
public sealed class HashModelChatTests : ChatClientConformanceTests, IDisposable
{
    protected override IChatClient Client { get; } =
        new DeltaKVChatClient(TestEngine.Create(new HashModelRunner(512, 8)), new ChatClientOptions { OwnsEngine = true });

    public void Dispose() => Client.Dispose();
}
