using System.Net;
using Darkroom.Api.RateLimits;
using Darkroom.Data;
using Darkroom.Tests.Api;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.RateLimits;

public sealed class OwnerConcurrencyTests : ApiTest
{
    protected override string[] Settings =>
        ["RateLimit:ConcurrentPerOwner=1", "RateLimit:WaitingPerOwner=0", "Requests:QueryTimeout=00:00:30", "Upload:Turn=00:00:00.1"];

    [Fact]
    public async Task Calls_of_an_owner_wait_for_its_others_but_not_for_those_of_another()
    {
        using var limit = new OwnerConcurrency(Options.Create(new RateLimitOptions { ConcurrentPerOwner = 1, WaitingPerOwner = 1 }));
        using var first = await EnterAsync("alice");
        var second = EnterAsync("alice");
        using var third = await EnterAsync("alice");
        using var file = await EnterAsync("alice", forFile: true);
        using var other = await EnterAsync("bob");

        Assert.Null(third);
        Assert.NotNull(file);
        Assert.NotNull(other);
        Assert.False(second.IsCompleted);
        first!.Dispose();
        first.Dispose();
        using var next = await second;
        Assert.NotNull(next);
        Assert.False(EnterAsync("alice").IsCompleted);

        Task<OwnerTurn?> EnterAsync(string owner, bool forFile = false) => limit.EnterAsync(owner, forFile, default).AsTask();
    }

    [Fact]
    public async Task An_upload_of_a_slow_client_keeps_its_owners_others_waiting_only_for_a_moment()
    {
        using var slow = new PausedCsv();
        using var disconnect = new CancellationTokenSource();
        var first = Alice.UploadAsync(slow.Content, cancellationToken: disconnect.Token);
        await slow.Sent;

        await Eventually.TrueAsync(async () =>
        {
            using var second = await Alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)));
            return second.StatusCode == HttpStatusCode.Accepted;
        });

        Assert.False(first.IsCompleted);
        await disconnect.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
    }

    [Fact]
    public async Task A_call_too_many_is_refused_and_says_when_to_come_back()
    {
        await using var connection = await Api.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.Sql("lock table csv_data_table in access exclusive mode").ExecuteNonQueryAsync();
        var waiting = Alice.GetAsync("/v1/requests");
        await Eventually.GetAsync(
            async () => (long)(await Api.Database.Sql(
                "select count(*) from pg_locks where not granted and relation = 'csv_data_table'::regclass").ExecuteScalarAsync())!,
            blocked => blocked == 1, "The first call waits for the table");

        using var refused = await Alice.GetAsync("/v1/requests");

        await refused.AssertProblemAsync(HttpStatusCode.TooManyRequests, "too_many_calls");
        Assert.NotNull(refused.Headers.RetryAfter);
        await transaction.RollbackAsync();
        using var response = await waiting;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }
}
