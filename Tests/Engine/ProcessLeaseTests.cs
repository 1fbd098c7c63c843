using Darkroom.Engine;
using Darkroom.Schema;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Darkroom.Tests.Engine;

public sealed class ProcessLeaseTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_process_that_lost_its_lease_starts_over_and_keeps_the_new_one()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var lease = new ProcessLease(
            database.DataSource, new ProcessKind("test"), TimeProvider.System,
            Options.Create(new ProcessLeaseOptions { DurationSeconds = 1, HeartbeatSeconds = 0.2 }), NullLogger<ProcessLease>.Instance);
        await lease.StartAsync(default);
        var (first, held) = (lease.Id, lease.Held);

        // An outage that heartbeats fail by, for longer than the lease.
        await database.DataSource.Sql("alter table processes rename to hidden").ExecuteNonQueryAsync();
        await Eventually.GetAsync(() => Task.FromResult(held.IsCancellationRequested), lost => lost, Soon, "the lease is lost");
        await database.DataSource.Sql("alter table hidden rename to processes").ExecuteNonQueryAsync();

        await Eventually.GetAsync(() => Task.FromResult(lease.Held.IsCancellationRequested), lost => !lost, Soon, "there is a new lease");
        var (second, renewed) = (lease.Id, lease.Held);
        Assert.NotEqual(first, second);
        await Eventually.GetAsync(
            async () => (TimeSpan?)await database.DataSource.Sql("select heartbeat_at - started_at from processes where id = @id")
                .With("id", second)
                .ExecuteScalarAsync(),
            age => age > TimeSpan.FromSeconds(1.2), Soon, "the new lease is renewed beyond its first term");
        Assert.False(renewed.IsCancellationRequested);
        Assert.Equal(second, lease.Id);
        await lease.StopAsync(default);
    }
}
