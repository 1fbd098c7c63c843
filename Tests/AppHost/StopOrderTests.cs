using System.Collections.Concurrent;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;

namespace Darkroom.Tests.AppHost;

/// <summary>Services stop before the servers that they depend on, so that stopping the host does not make work in progress fail.</summary>
public sealed class StopOrderTests(RunningHost host) : IClassFixture<RunningHost>
{
    [Fact]
    public async Task Services_have_stopped_before_Postgres_stops()
    {
        var stopped = new ConcurrentQueue<string>();
        using var stop = new CancellationTokenSource();
        var watch = Task.Run(async () =>
        {
            var seen = new HashSet<string>();
            try
            {
                await foreach (var change in host.Notifications.WatchAsync(stop.Token))
                    if (KnownResourceStates.TerminalStates.Contains(change.Snapshot.State?.Text) && seen.Add(change.ResourceId))
                        stopped.Enqueue(change.Resource.Name);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
        });

        await host.App.StopAsync();
        await stop.CancelAsync();
        await watch;

        Assert.Equal(["api", "worker", "worker"], stopped.Take(3).Order());
        Assert.Contains("postgres", stopped.Skip(3));
    }
}
