using System.Collections.Concurrent;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;

namespace Darkroom.Tests.AppHost;

/// <summary>Services end before what they work on: nothing that they have in hand fails because the host stops.</summary>
public sealed class StopOrderTests(RunningHost host) : IClassFixture<RunningHost>
{
    [Fact]
    public async Task Services_have_ended_before_Postgres_is_told_to()
    {
        var ended = new ConcurrentQueue<string>();
        using var stop = new CancellationTokenSource();
        var watch = Task.Run(async () =>
        {
            var seen = new HashSet<string>();
            try
            {
                await foreach (var change in host.Notifications.WatchAsync(stop.Token))
                    if (KnownResourceStates.TerminalStates.Contains(change.Snapshot.State?.Text) && seen.Add(change.ResourceId))
                        ended.Enqueue(change.Resource.Name);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
        });

        await host.App.StopAsync();
        await stop.CancelAsync();
        await watch;

        Assert.Equal(["api", "worker", "worker"], ended.Take(3).Order());
        Assert.Contains("postgres", ended.Skip(3));
    }
}
