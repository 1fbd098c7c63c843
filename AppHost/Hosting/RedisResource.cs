using System.Globalization;
using Darkroom.AppHost.Redis;
using StackExchange.Redis;

namespace Darkroom.AppHost.Hosting;

/// <summary>A Redis-compatible server (Garnet) inside this process. It is not persistent: its content is rebuilt from Postgres.</summary>
internal static class RedisResource
{
    public static IResourceBuilder<InProcessResource> AddGarnet(this IDistributedApplicationBuilder builder, string name)
    {
        var port = FreePort.Find();
        var password = Guid.NewGuid().ToString("N");
        return builder.AddInProcess(
                name,
                "Redis (Garnet)",
                ReferenceExpression.Create($"127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)},password={password}"),
                (_, _) => Task.FromResult<IAsyncDisposable>(new Running(GarnetServer.Start(port, password))))
            .WithIconName("DatabaseLightning")
            .WithWipeCommand();
    }

    /// <summary>A dashboard command to demonstrate that Redis may be wiped at any time.</summary>
    public static IResourceBuilder<T> WithWipeCommand<T>(this IResourceBuilder<T> redis)
        where T : IResourceWithConnectionString =>
        redis.WithCommand(
            "wipe",
            "Wipe",
            async context =>
            {
                var options = ConfigurationOptions.Parse((await redis.Resource.GetConnectionStringAsync(context.CancellationToken))!);
                options.AllowAdmin = true;
                await using var connection = await ConnectionMultiplexer.ConnectAsync(options);
                foreach (var server in connection.GetServers())
                    await server.FlushAllDatabasesAsync();
                return CommandResults.Success("Redis is empty now. Requests continue.");
            },
            new CommandOptions
            {
                Description = "Delete everything in Redis. Requests continue, because Postgres is the source of truth.",
                IconName = "Delete",
                ConfirmationMessage = "Delete everything in Redis? Requests continue: what they need is rebuilt from Postgres within seconds.",
                UpdateState = RunningOnly.State,
            });

    private sealed class Running(GarnetServer server) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            server.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>For commands that are enabled only while their resource is running.</summary>
internal static class RunningOnly
{
    public static ResourceCommandState State(UpdateCommandStateContext context) =>
        context.ResourceSnapshot.State?.Text == KnownResourceStates.Running ? ResourceCommandState.Enabled : ResourceCommandState.Disabled;
}
