using DeltaKV.Chat;
using DeltaKV.Engine;
using DeltaKV.Tests.Engine;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace DeltaKV.Tests.Chat;

public sealed class DeltaKVServiceCollectionTests
{
    [Fact]
    public async Task AClientAndItsEngineAreRegistered()
    {
        var runner = new HashModelRunner(64, 8);
        var services = new ServiceCollection();
        services.AddDeltaKV(_ => TestEngine.Create(runner), new ChatClientOptions { MaxConversations = 1 });
        await using (var provider = services.BuildServiceProvider())
        {
            var client = provider.GetRequiredService<IChatClient>();
            Assert.Same(client, provider.GetRequiredService<IChatClient>());
            Assert.Same(provider.GetRequiredService<LlmEngine>(), client.GetService<LlmEngine>());
            Assert.Equal(3, (await client.GetResponseAsync("Hello", new ChatOptions { MaxOutputTokens = 3 })).Usage!.OutputTokenCount);
        }
        Assert.True(runner.IsDisposed);
    }

    [Fact]
    public void RegistrationLoadsNothing()
    {
        var services = new ServiceCollection();
        services.AddDeltaKV("no-such-model");
        using var provider = services.BuildServiceProvider();
        Assert.Throws<DirectoryNotFoundException>(() => { provider.GetRequiredService<IChatClient>(); });
    }
}
