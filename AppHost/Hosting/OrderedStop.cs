using System.Globalization;
using Darkroom.AppHost.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Darkroom.AppHost.Hosting;

/// <summary>Stops the services before the servers that they depend on. Aspire on its own stops all processes at the same time.</summary>
internal sealed class OrderedStop(
    DistributedApplicationModel model, ResourceCommandService commands, ResourceNotificationService notifications) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(model.Resources.OfType<ProjectResource>()
            .Select(service => commands.ExecuteCommandAsync(service, KnownResourceCommands.StopCommand, cancellationToken)));
        await Task.WhenAll(model.Resources.OfType<PostgresProcessResource>().Select(server => StopAsync(server, cancellationToken)));
        foreach (var resource in model.Resources.OfType<InProcessResource>())
            await resource.StopAsync();
    }

    private async Task StopAsync(PostgresProcessResource server, CancellationToken cancellationToken)
    {
        // The command sends SIGTERM, on which Postgres waits for its last client to disconnect; a forgotten psql session never does.
        if (!OperatingSystem.IsWindows()
            && notifications.TryGetCurrentState(server.Name, out var current)
            && ProcessIdOf(current.Snapshot) is { } pid)
            Unix.Signal(pid, Unix.Interrupt);
        await commands.ExecuteCommandAsync(server, KnownResourceCommands.StopCommand, cancellationToken);
    }

    /// <summary>Null if the resource has no running process.</summary>
    public static int? ProcessIdOf(CustomResourceSnapshot snapshot) =>
        snapshot.State?.Text == KnownResourceStates.Running
        && snapshot.Properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value is { } pid
            ? Convert.ToInt32(pid, CultureInfo.InvariantCulture)
            : null;
}

internal static class OrderedStopExtensions
{
    public static IDistributedApplicationBuilder StopInOrder(this IDistributedApplicationBuilder builder)
    {
        // Hosted services stop in reverse order of registration, so this one stops before Aspire's own.
        builder.Services.AddHostedService<OrderedStop>();
        return builder;
    }
}
