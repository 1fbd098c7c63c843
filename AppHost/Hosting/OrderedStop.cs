using System.Globalization;
using Darkroom.AppHost.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Darkroom.AppHost.Hosting;

/// <summary>Stops the services before what they work on: Aspire by itself tells all processes at the same time.</summary>
internal sealed class OrderedStop(
    DistributedApplicationModel model, ResourceCommandService commands, ResourceNotificationService notifications) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(model.Resources.OfType<ProjectResource>()
            .Select(service => commands.ExecuteCommandAsync(service, KnownResourceCommands.StopCommand, cancellationToken)));
        await Task.WhenAll(model.Resources.OfType<PostgresProcessResource>().Select(server => StopAsync(server, cancellationToken)));
        foreach (var resource in model.Resources.OfType<InProcessResource>()) await resource.StopAsync();
    }

    private async Task StopAsync(PostgresProcessResource server, CancellationToken cancellationToken)
    {
        // SIGTERM, which the command sends, has Postgres wait until its last client leaves; a forgotten psql never does.
        if (!OperatingSystem.IsWindows()
            && notifications.TryGetCurrentState(server.Name, out var current)
            && ProcessIdOf(current.Snapshot) is { } pid)
            Unix.Signal(pid, Unix.Interrupt);
        await commands.ExecuteCommandAsync(server, KnownResourceCommands.StopCommand, cancellationToken);
    }

    /// <summary>Null while the resource has no process.</summary>
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
        // Hosted services stop in reverse: this one before Aspire's own.
        builder.Services.AddHostedService<OrderedStop>();
        return builder;
    }
}
