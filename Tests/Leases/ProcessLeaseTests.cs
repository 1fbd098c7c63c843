using Darkroom.Data;
using Darkroom.Leases;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Darkroom.Tests.Leases;

public sealed class ProcessLeaseTests
{
    [Fact]
    public async Task A_process_that_lost_its_lease_takes_a_new_one_and_renews_it()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var time = new SteppedTime();
        var options = new ProcessLeaseOptions();
        using var lease = new ProcessLease(
            database.DataSource, new ProcessKind("test"), time, Options.Create(options), NullLogger<ProcessLease>.Instance);
        await lease.StartAsync(default);
        var firstLease = lease.Current;
        var (first, held) = (firstLease.Id, firstLease.Held);

        // Make heartbeats fail for longer than the lease.
        await database.DataSource.Sql("alter table processes rename to hidden").ExecuteNonQueryAsync();
        for (var beaten = TimeSpan.Zero; beaten < options.Duration; beaten += options.Heartbeat)
            await time.StepAsync(options.Heartbeat);
        await Eventually.GetAsync(() => Task.FromResult(held.IsCancellationRequested), lost => lost, "the lease is lost");
        await database.DataSource.Sql("alter table hidden rename to processes").ExecuteNonQueryAsync();

        await time.StepAsync(options.Heartbeat);
        await Eventually.GetAsync(() => Task.FromResult(lease.Held.IsCancellationRequested), lost => !lost, "there is a new lease");
        var (second, renewed) = (lease.Id, lease.Held);
        Assert.NotEqual(first, second);
        // What was claimed under the first lease stays cancelled.
        Assert.True(firstLease.Held.IsCancellationRequested);
        // Beyond the first lease period.
        for (var beaten = TimeSpan.Zero; beaten < 2 * options.Duration; beaten += options.Heartbeat)
            await time.StepAsync(options.Heartbeat);
        await Eventually.GetAsync(
            async () => (bool)(await database.DataSource.Sql("select heartbeat_at > started_at from processes where id = @id")
                .With("id", second)
                .ExecuteScalarAsync())!,
            renewed => renewed, "the new lease is renewed");
        Assert.False(renewed.IsCancellationRequested);
        Assert.Equal(second, lease.Id);
        await lease.StopAsync(default);
    }

    [Theory]
    [InlineData("1 s", true)]
    [InlineData("20 s", false)]
    public async Task Heartbeats_of_processes_that_follow_one_another_count_together(string gap, bool areTogether)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var former = Lease(database);
        await former.StartAsync(default);
        await database.DataSource
            .Sql($"update processes set heartbeat_at = now() - interval '{gap}', beating_since = now() - interval '1 hour'")
            .ExecuteNonQueryAsync();

        using var latter = Lease(database);
        await latter.StartAsync(default);

        Assert.Equal(areTogether, await database.DataSource
            .Sql("select beating_since <= now() - interval '1 hour' from processes where id = @id").With("id", latter.Id).ExecuteScalarAsync());
        await latter.StopAsync(default);
        await former.StopAsync(default);
    }

    private static ProcessLease Lease(TestDatabase database) => new(
        database.DataSource, new ProcessKind("test"), TimeProvider.System, Options.Create(new ProcessLeaseOptions()), NullLogger<ProcessLease>.Instance);
}
