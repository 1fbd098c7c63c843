using System.Net;
using Darkroom.Api.Requests;
using Darkroom.Data;
using Darkroom.Runs;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace Darkroom.Tests.Api;

public sealed class LifecycleTests : ApiTest
{
    [Fact]
    public async Task Cancelling_a_request_is_idempotent()
    {
        var id = await Alice.AcceptedAsync();

        for (var i = 0; i < 2; i++)
        {
            using var response = await Alice.PostAsync($"/v1/requests/{id}/cancel", null);
            Assert.Equal("cancelled", (await response.JsonAsync()).GetProperty("status").GetString());
            Assert.NotNull(response.Headers.ETag);
        }

        Assert.Equal(1, await Api.CountAsync("workflow_instances where sub_status = 'Cancelled'"));
    }

    [Fact]
    public async Task A_finished_request_cannot_be_cancelled()
    {
        var id = await Alice.AcceptedAsync();
        await Api.EndAsync(id, "failed", withOutput: false);

        using var response = await Alice.PostAsync($"/v1/requests/{id}/cancel", null);

        await response.AssertProblemAsync(HttpStatusCode.Conflict, "request_ended");
    }

    [Fact]
    public async Task Only_a_request_with_errors_can_be_retried()
    {
        var id = await Alice.AcceptedAsync();
        using (var early = await Alice.PostAsync($"/v1/requests/{id}/retry", null))
            await early.AssertProblemAsync(HttpStatusCode.Conflict, "not_retryable");
        await Api.LoadAsync(id);
        await Api.ProgressAsync(id);
        await Api.EndAsync(id, "completed_with_errors", withOutput: true);

        using var response = await Alice.PostAsync($"/v1/requests/{id}/retry", null);

        var request = await response.JsonAsync();
        Assert.Equal("processing", request.GetProperty("status").GetString());
        Assert.Equal(2, request.GetProperty("run").GetInt32());
        Assert.Equal(0, request.GetProperty("images").GetProperty("failed").GetInt32());
        // Clients that poll by revision see that the failed image is waiting again.
        Assert.Equal(1, await Api.CountAsync("images i join csv_data_table r on r.id = i.request_id and r.revision = i.revision where i.run = 2"));
        using var again = await Alice.PostAsync($"/v1/requests/{id}/retry", null);
        await again.AssertProblemAsync(HttpStatusCode.Conflict, "not_retryable");
    }

    [Theory]
    [InlineData("cancel", "csv_data_table where id = @id", "cancelled")]
    [InlineData("retry", "images where request_id = @id and state = 'failed'", "processing")]
    public async Task A_change_may_exceed_the_command_timeout(string change, string held, string status)
    {
        await using var hasty = await TestApi.StartAsync(Database.ConnectionString + ";Command Timeout=1", S3.ConnectionString);
        using var client = await hasty.ClientAsync("alice");
        var id = await ProcessedAsync(ended: change == "retry");
        await using var other = await HoldAsync(held, id);

        var changing = client.PostAsync($"/v1/requests/{id}/{change}", null);
        await Eventually.TrueAsync(async () => await WaitingAsync() == 1);
        // Longer than this API's command timeout.
        await other.Sql("select pg_sleep(1.5)").ExecuteNonQueryAsync();
        Assert.False(changing.IsCompleted);
        await ReleaseAsync(other);

        using var response = await changing;
        Assert.Equal(status, (await response.JsonAsync()).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_client_gets_202_if_the_change_takes_too_long()
    {
        await using var brief = await TestApi.StartAsync(Database.ConnectionString, S3.ConnectionString, "Requests:ChangeResponse=00:00:00.2");
        using var client = await brief.ClientAsync("alice");
        var id = await ProcessedAsync();
        await using var other = await HoldAsync("csv_data_table where id = @id", id);

        for (var i = 0; i < 3; i++)
        {
            using var early = await client.PostAsync($"/v1/requests/{id}/cancel", null);
            Assert.Equal("processing", (await early.JsonAsync(HttpStatusCode.Accepted)).GetProperty("status").GetString());
            Assert.NotNull(early.Headers.RetryAfter?.Delta);
            await Eventually.TrueAsync(async () => await WaitingAsync() > 0);
            Assert.Equal(1, await WaitingAsync());
        }

        await ReleaseAsync(other);
        await Eventually.TrueAsync(async () => await StatusAsync(id) == "cancelled");
        using var late = await client.PostAsync($"/v1/requests/{id}/cancel", null);
        Assert.Equal("cancelled", (await late.JsonAsync()).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_change_continues_after_its_client_disconnects()
    {
        var id = await ProcessedAsync(ended: true);
        await using var other = await HoldAsync("images where request_id = @id and state = 'failed'", id);
        using var disconnect = new CancellationTokenSource();

        var changing = Alice.PostAsync($"/v1/requests/{id}/retry", null, disconnect.Token);
        await Eventually.TrueAsync(async () => await WaitingAsync() == 1);
        await disconnect.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => changing);
        await ReleaseAsync(other);

        await Eventually.TrueAsync(async () => await StatusAsync(id) == "processing");
        Assert.Equal(1, await Api.CountAsync("images where run = 2 and state = 'waiting'"));
    }

    [Fact]
    public async Task A_change_that_times_out_is_rolled_back()
    {
        var id = await ProcessedAsync(ended: true);
        var time = new FakeTimeProvider();
        await using var changes = Changes(time);
        await using var other = await HoldAsync("images where request_id = @id and state = 'failed'", id);

        var first = changes.RetryAsync(await OwnerAsync(id), new RequestId(id), default);
        await Eventually.TrueAsync(async () => await WaitingAsync() == 1);
        time.Advance(TimeSpan.FromSeconds(890));
        Assert.Null(await first);
        var second = changes.RetryAsync(await OwnerAsync(id), new RequestId(id), default);
        time.Advance(TimeSpan.FromSeconds(15));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await AssertUndoneAsync(other, id);
    }

    [Fact]
    public async Task A_change_in_progress_at_shutdown_is_rolled_back()
    {
        var id = await ProcessedAsync(ended: true);
        var changes = Changes(TimeProvider.System);
        await using var other = await HoldAsync("images where request_id = @id and state = 'failed'", id);

        var changing = changes.RetryAsync(await OwnerAsync(id), new RequestId(id), default);
        await Eventually.TrueAsync(async () => await WaitingAsync() == 1);
        await changes.DisposeAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => changing);
        await AssertUndoneAsync(other, id);
    }

    private LifecycleChanges Changes(TimeProvider time) => new(
        Api.Services.GetRequiredService<RequestLifecycle>(), time, Options.Create(new RequestsOptions()), NullLogger<LifecycleChanges>.Instance);

    private async Task<Guid> ProcessedAsync(bool ended = false)
    {
        var id = await Alice.AcceptedAsync();
        await Api.LoadAsync(id);
        await Api.ProgressAsync(id);
        if (ended)
            await Api.EndAsync(id, "completed_with_errors", withOutput: true);
        return id;
    }

    /// <summary>Opens another transaction that locks these rows.</summary>
    private async Task<NpgsqlConnection> HoldAsync(string rows, Guid id)
    {
        var other = await Database.DataSource.OpenConnectionAsync();
        await other.Sql("begin").ExecuteNonQueryAsync();
        await other.Sql($"select from {rows} for no key update").With("id", id).ExecuteNonQueryAsync();
        return other;
    }

    private static async Task ReleaseAsync(NpgsqlConnection other) => await other.Sql("rollback").ExecuteNonQueryAsync();

    private async Task AssertUndoneAsync(NpgsqlConnection other, Guid id)
    {
        await ReleaseAsync(other);
        // The server notices that the client has disconnected only once it gets the row locks.
        await Eventually.TrueAsync(async () => await WaitingAsync() == 0);
        Assert.Equal("completed_with_errors", await StatusAsync(id));
        Assert.Equal(1, await Api.CountAsync("images where run = 1 and state = 'failed'"));
    }

    private async Task<long> WaitingAsync() => (long)(await Database.DataSource.Sql(
            """
            select count(*)
            from pg_stat_activity
            where datname = current_database()
              and wait_event_type = 'Lock'
            """)
        .ExecuteScalarAsync())!;

    private async Task<OwnerId> OwnerAsync(Guid id) => new(
        (Guid)(await Database.DataSource.Sql("select owner_id from csv_data_table where id = @id").With("id", id).ExecuteScalarAsync())!);

    private async Task<string?> StatusAsync(Guid id) =>
        (await Alice.GetJsonAsync($"/v1/requests/{id}")).GetProperty("status").GetString();
}
