using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Darkroom.AppHost.Hosting;

/// <summary>A small server that runs inside this process and appears in the dashboard like any other resource.</summary>
internal sealed class InProcessResource(string name, ReferenceExpression connectionString)
    : Resource(name), IResourceWithConnectionString, IResourceWithWaitSupport
{
    public ReferenceExpression ConnectionStringExpression { get; } = connectionString;

    /// <summary>Null while the server is not running.</summary>
    public IAsyncDisposable? Server { get; set; }

    public async Task StopAsync()
    {
        var server = Server;
        Server = null;
        if (server is not null)
            await server.DisposeAsync();
    }
}

internal static partial class InProcessResourceExtensions
{
    /// <summary>Starts the server together with the other resources. It stops after everything that depends on it (<see cref="OrderedStop"/>).</summary>
    /// <param name="kind">The resource type that the dashboard shows.</param>
    /// <param name="start">Starts the server; receives the logger whose output the dashboard shows.</param>
    public static IResourceBuilder<InProcessResource> AddInProcess(
        this IDistributedApplicationBuilder builder,
        string name,
        string kind,
        ReferenceExpression connectionString,
        Func<ILogger, CancellationToken, Task<IAsyncDisposable>> start) =>
        builder.AddResource(new InProcessResource(name, connectionString))
            .ExcludeFromManifest()
            .WithInitialState(new CustomResourceSnapshot
            {
                ResourceType = kind,
                State = KnownResourceStates.NotStarted,
                Properties = [new ResourcePropertySnapshot(CustomResourceKnownProperties.Source, "inside the AppHost")],
            })
            .OnInitializeResource(async (resource, initialize, cancellationToken) =>
            {
                try
                {
                    await initialize.Eventing.PublishAsync(new BeforeResourceStartedEvent(resource, initialize.Services), cancellationToken);
                    resource.Server = await start(initialize.Logger, cancellationToken);
                    LogStart(initialize.Logger);
                    await initialize.Eventing.PublishAsync(new ConnectionStringAvailableEvent(resource, initialize.Services), cancellationToken);
                    var now = initialize.Services.GetRequiredService<TimeProvider>().GetUtcNow().UtcDateTime;
                    await initialize.Notifications.PublishUpdateAsync(
                        resource, state => state with { State = KnownResourceStates.Running, StartTimeStamp = now });
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    LogFailure(initialize.Logger, e);
                    await initialize.Notifications.PublishUpdateAsync(
                        resource, state => state with { State = KnownResourceStates.FailedToStart });
                }
            });

    [LoggerMessage(LogLevel.Information, "Listening.")]
    private static partial void LogStart(ILogger logger);

    [LoggerMessage(LogLevel.Error, "The server failed to start.")]
    private static partial void LogFailure(ILogger logger, Exception e);
}
