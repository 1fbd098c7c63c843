using System.Net;
using System.Text;
using Darkroom.Data;
using Darkroom.Storage;
using Darkroom.Tests.Infrastructure;
using Npgsql;
using StackExchange.Redis;

namespace Darkroom.Tests.Faults;

/// <summary>Each fault does to a request what it says: the effect happens or not, and the client does not learn which.</summary>
public sealed class RelayTests
{
    [Theory]
    [InlineData(FaultKind.CutBefore, 0L, false)]
    [InlineData(FaultKind.CutAfter, 1L, false)]
    [InlineData(FaultKind.SilentAfter, 1L, false)]
    [InlineData(FaultKind.Slow, 1L, true)]
    [InlineData(FaultKind.None, 1L, true)]
    internal async Task Postgres_executes_a_statement_or_not(FaultKind fault, long rows, bool isAnswered)
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        await using var relay = new PostgresRelay(database.ConnectionString);
        await database.DataSource.Sql("create table t (n int)").ExecuteNonQueryAsync();
        relay.Before = text => Task.FromResult(text.Contains("insert", StringComparison.Ordinal) ? fault : FaultKind.None);

        await using (var connection = new NpgsqlConnection(relay.ConnectionString + ";Pooling=false;Command Timeout=2;Cancellation Timeout=-1"))
        {
            await connection.OpenAsync();
            await using var insert = new NpgsqlCommand("insert into t values (1)", connection);
            Assert.Equal(isAnswered, await IsAnsweredAsync(() => insert.ExecuteNonQueryAsync()));
        }

        Assert.Equal(rows, await database.DataSource.Sql("select count(*) from t").ExecuteScalarAsync());
    }

    [Theory]
    [InlineData(FaultKind.CutBefore, 0L)]
    [InlineData(FaultKind.CutAfter, 1L)]
    internal async Task Postgres_commits_or_not_and_the_client_cannot_tell(FaultKind fault, long rows)
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        await using var relay = new PostgresRelay(database.ConnectionString);
        await database.DataSource.Sql("create table t (n int)").ExecuteNonQueryAsync();
        relay.Before = text => Task.FromResult(text.StartsWith("COMMIT", StringComparison.Ordinal) ? fault : FaultKind.None);

        await using (var connection = new NpgsqlConnection(relay.ConnectionString + ";Pooling=false"))
        {
            await connection.OpenAsync();
            var transaction = await connection.BeginTransactionAsync();
            await using var insert = new NpgsqlCommand("insert into t values (@n)", connection);
            insert.Parameters.AddWithValue("n", 1);
            await insert.PrepareAsync();
            await insert.ExecuteNonQueryAsync();
            Assert.False(await IsAnsweredAsync(() => transaction.CommitAsync()));
        }

        Assert.Equal(rows, await database.DataSource.Sql("select count(*) from t").ExecuteScalarAsync());
    }

    [Theory]
    [InlineData(RedisKind.Garnet, FaultKind.CutBefore, false)]
    [InlineData(RedisKind.Garnet, FaultKind.CutAfter, true)]
    internal async Task Redis_executes_a_script_or_not(RedisKind kind, FaultKind fault, bool hasEffect)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var relay = new RedisRelay(IPEndPoint.Parse(redis.ConnectionString.Split(',')[0]));
        await using var client = await ConnectionMultiplexer.ConnectAsync(relay.ConnectionString);
        relay.Before = _ => Task.FromResult(fault);

        var answered = await IsAnsweredAsync(() => client.GetDatabase().ScriptEvaluateAsync("return redis.call('SET', KEYS[1], 'x')", ["k"]));

        Assert.False(answered);
        Assert.Equal(hasEffect, await (await redis.ConnectAsync()).GetDatabase().KeyExistsAsync("k"));
    }

    [Theory]
    [InlineData(FaultKind.CutBefore, false, false)]
    [InlineData(FaultKind.ErrorBefore, false, false)]
    [InlineData(FaultKind.SlowDownBefore, false, false)]
    [InlineData(FaultKind.DiskFullBefore, false, false)]
    [InlineData(FaultKind.CutAfter, true, false)]
    [InlineData(FaultKind.SilentAfter, true, false)]
    [InlineData(FaultKind.ErrorAfter, true, false)]
    [InlineData(FaultKind.Corrupt, true, false)]
    [InlineData(FaultKind.Slow, true, true)]
    [InlineData(FaultKind.None, true, true)]
    internal async Task S3_stores_an_object_or_not(FaultKind fault, bool hasEffect, bool isAnswered)
    {
        await using var s3 = await TestS3.StartAsync();
        await using var proxy = await S3Proxy.StartAsync(s3.Url);
        proxy.Before = _ => Task.FromResult(fault);
        var store = s3.CreateStore(
            options => (options.Retries, options.Try) = (0, TimeSpan.FromSeconds(2)), proxy.ConnectionStringOf(s3.Connection));

        Assert.Equal(isAnswered, await IsAnsweredAsync(() => store.PutAsync("k", "content"u8.ToArray(), "text/plain", default)));

        Assert.Equal(hasEffect, await s3.CreateStore().ListAsync("k", default).AnyAsync());
    }

    [Fact]
    public async Task S3_may_answer_the_end_of_an_upload_with_an_error_under_status_200()
    {
        await using var s3 = await TestS3.StartAsync();
        await using var proxy = await S3Proxy.StartAsync(s3.Url);
        proxy.Before = request => Task.FromResult(request.IsCompletion ? FaultKind.ErrorInBody : FaultKind.None);
        var store = s3.CreateStore(options => options.Retries = 0, proxy.ConnectionStringOf(s3.Connection));
        await using var upload = store.BeginUpload("k", "text/csv");
        var content = new byte[6 << 20];
        Encoding.ASCII.GetBytes("rows").CopyTo(content, 0);
        await upload.AsStream().WriteAsync(content);

        await Assert.ThrowsAnyAsync<StorageException>(() => upload.CompleteAsync(default));

        Assert.False(await s3.CreateStore().ListAsync("k", default).AnyAsync());
    }

    [Fact]
    public async Task A_download_with_a_wrong_byte_is_not_taken_for_the_object()
    {
        await using var s3 = await TestS3.StartAsync();
        await using var proxy = await S3Proxy.StartAsync(s3.Url);
        var store = s3.CreateStore(options => options.Retries = 0, proxy.ConnectionStringOf(s3.Connection));
        await store.PutAsync("k", new byte[10_000], "text/csv", default);
        proxy.Before = _ => Task.FromResult(FaultKind.Corrupt);

        await Assert.ThrowsAnyAsync<StorageException>(async () =>
        {
            await using var content = await store.OpenReadAsync("k", default);
            await content.CopyToAsync(Stream.Null);
        });
    }

    [Fact]
    public void The_same_seed_hits_the_same_requests()
    {
        string[] requests = [.. Enumerable.Range(0, 200).Select(n => $"request {n % 20}")];
        List<FaultKind> Rolls(ulong seed)
        {
            var dice = new FaultDice(seed, 0.2, FaultKind.CutBefore, FaultKind.CutAfter);
            return [.. requests.Select(dice.Roll)];
        }

        Assert.Equal(Rolls(7), Rolls(7));
        Assert.NotEqual(Rolls(7), Rolls(8));
        Assert.InRange(Rolls(7).Count(kind => kind != FaultKind.None), 20, 60);
    }

    private static async Task<bool> IsAnsweredAsync(Func<Task> request)
    {
        try
        {
            await request();
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or RedisException or TimeoutException or StorageException)
        {
            return false;
        }
    }
}
