using DeltaKV.Chat;
using DeltaKV.Engine;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers DeltaKV with a service collection.</summary>
public static class DeltaKVServiceCollectionExtensions
{
    /// <summary>
    /// Registers an <see cref="LlmEngine"/>, loaded when it is first needed (which takes as long as reading the weights), and an
    /// <see cref="IChatClient"/> over it.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="modelDirectory">A Hugging Face model directory.</param>
    /// <param name="engineOptions">How the engine is set up; the container's logging is used unless they say otherwise.</param>
    /// <param name="options">How the client is set up.</param>
    public static IServiceCollection AddDeltaKV(
        this IServiceCollection services, string modelDirectory, EngineOptions? engineOptions = null, ChatClientOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelDirectory);
        return services.AddDeltaKV(Load, options);

        LlmEngine Load(IServiceProvider provider)
        {
            var settings = engineOptions ?? new EngineOptions();
            settings = settings with { LoggerFactory = settings.LoggerFactory ?? provider.GetService<ILoggerFactory>() };
            // A container builds synchronously; the engine loads on the thread pool, so that waiting here cannot deadlock.
            return LlmEngine.LoadAsync(modelDirectory, settings).GetAwaiter().GetResult();
        }
    }

    /// <summary>Registers an <see cref="LlmEngine"/>, created when it is first needed, and an <see cref="IChatClient"/> over it.</summary>
    /// <param name="services">The services.</param>
    /// <param name="engine">Gives the engine, which the container then owns.</param>
    /// <param name="options">How the client is set up.</param>
    public static IServiceCollection AddDeltaKV(this IServiceCollection services, Func<IServiceProvider, LlmEngine> engine, ChatClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(engine);
        services.TryAddSingleton(engine);
        services.TryAddSingleton<IChatClient>(provider =>
            new DeltaKVChatClient(provider.GetRequiredService<LlmEngine>(), options, provider.GetService<ILoggerFactory>()));
        return services;
    }
}
