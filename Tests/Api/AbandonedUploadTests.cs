using System.Net;
using System.Net.Sockets;
using System.Text;
using Darkroom.Data;
using Darkroom.Leases;
using Darkroom.Tests.Infrastructure;
using Darkroom.Uploads;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Api;

public sealed class AbandonedUploadTests : ApiTest
{
    // Tests call the sweeper directly: after its first sweep, the background one runs too rarely to interfere.
    protected override string[] Settings => ["UploadSweep:Every=01:00:00", "Lease:Duration=00:00:04", "Lease:Heartbeat=00:00:01"];

    [Theory]
    [InlineData(1)]
    [InlineData(200_000)] // More than one part, so a multipart upload has started.
    public async Task A_client_that_disconnects_during_an_upload_leaves_nothing(int rows)
    {
        using var csv = new PausedCsv(rows);
        using var disconnect = new CancellationTokenSource();
        var upload = Alice.UploadAsync(csv.Content, cancellationToken: disconnect.Token);
        await csv.Sent;
        await Eventually.TrueAsync(async () => await Api.CountAsync("uploads") == 1);

        await disconnect.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => upload);

        await Eventually.TrueAsync(async () => await Api.CountAsync("uploads") == 0);
        await Api.AssertNothingLeftAsync();
        await AssertNoPartsAsync();
    }

    [Fact]
    public async Task An_upload_that_another_process_has_taken_over_is_left_to_it()
    {
        using var csv = new PausedCsv(1);
        using var disconnect = new CancellationTokenSource();
        var upload = Alice.UploadAsync(csv.Content, cancellationToken: disconnect.Token);
        await csv.Sent;
        await Eventually.TrueAsync(async () => await Api.CountAsync("uploads") == 1);
        var id = await Database.DataSource.Sql("select id from uploads").ExecuteScalarAsync();
        var key = $"requests/{id}/input.csv";
        await Api.Objects.PutAsync(key, "not ours"u8.ToArray(), "text/csv", CancellationToken.None);
        await Database.DataSource.Sql("update uploads set process_id = gen_random_uuid(), created_at = now()").ExecuteNonQueryAsync();

        await disconnect.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => upload);

        await Eventually.TrueAsync(() => Task.FromResult(Api.Services.GetRequiredService<ActiveUploads>().Ids.Length == 0));
        Assert.Equal([key], await Api.KeysAsync());
        Assert.Equal(1, await Api.CountAsync("uploads"));
    }

    [Fact]
    public async Task A_connection_that_drops_before_the_content_length_is_reached_leaves_nothing()
    {
        using (var client = new TcpClient())
        {
            await BeginAsync(client);
        }

        await Eventually.TrueAsync(async () => await Api.CountAsync("uploads") == 0);
        await Api.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task An_upload_of_a_dead_process_is_swept_and_its_key_freed()
    {
        var dead = await DeadUploadAsync("k");
        await Api.Objects.PutAsync($"requests/{dead}/input.csv", "half a file"u8.ToArray(), "text/csv", CancellationToken.None);
        using (var conflict = await Alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)), key: "k"))
            await conflict.AssertProblemAsync(HttpStatusCode.Conflict, "idempotency_key_in_flight");

        Assert.Equal(1, await Api.Sweeper.SweepAsync(CancellationToken.None));

        await Api.AssertNothingLeftAsync();
        using var accepted = await Alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)), key: "k");
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
    }

    [Fact]
    public async Task The_sweeper_leaves_uploads_of_live_processes_alone()
    {
        using var csv = new PausedCsv();
        var upload = Alice.UploadAsync(csv.Content);
        await csv.Sent;
        await Eventually.TrueAsync(async () => await Api.CountAsync("uploads") == 1);
        await Database.DataSource.Sql("update uploads set created_at = now() - interval '1 hour'").ExecuteNonQueryAsync();

        await using (var other = await TestApi.StartAsync(Database.ConnectionString, S3.ConnectionString, Settings))
            Assert.Equal(0, await other.Sweeper.SweepAsync(CancellationToken.None));
        Assert.Equal(0, await Api.Sweeper.SweepAsync(CancellationToken.None));

        csv.Resume();
        using var response = await upload;
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    [Fact]
    public async Task An_upload_stays_with_a_process_whose_lease_may_be_stale_only_because_nobody_could_reach_the_database()
    {
        var dead = await DeadUploadAsync("k");
        await Database.DataSource.Sql(
                """
                insert into processes (id, kind, host, pid, heartbeat_at)
                select process_id, 'api', 'h', 1, now() - interval '10 years'
                from uploads
                where id = @id
                """)
            .With("id", dead.Value)
            .ExecuteNonQueryAsync();
        var lease = new ProcessLeaseOptions { Duration = TimeSpan.FromMinutes(10) };
        using var sweeper = ActivatorUtilities.CreateInstance<UploadSweeper>(Api.Services, Options.Create(lease));
        Assert.Equal(0, await sweeper.SweepAsync(CancellationToken.None));

        await Database.DataSource.Sql("update processes set beating_since = now() - interval '1 hour'").ExecuteNonQueryAsync();
        Assert.Equal(1, await sweeper.SweepAsync(CancellationToken.None));
        await Api.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task An_upload_that_was_taken_over_is_not_accepted()
    {
        using var csv = new PausedCsv();
        var upload = Alice.UploadAsync(csv.Content);
        await csv.Sent;
        await Eventually.TrueAsync(async () => await Api.CountAsync("uploads") == 1);
        await Database.DataSource.Sql("update uploads set process_id = gen_random_uuid()").ExecuteNonQueryAsync();

        csv.Resume();
        using var response = await upload;

        await response.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, "upload_lost");
        Assert.Equal(0, await Api.CountAsync("csv_data_table"));
        Assert.Equal(1, await Api.Sweeper.SweepAsync(CancellationToken.None));
        await Api.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task An_upload_ends_when_its_process_loses_the_lease()
    {
        using var client = new TcpClient();
        await BeginAsync(client);
        await Database.DataSource.Sql("delete from processes").ExecuteNonQueryAsync();

        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var reader = new StreamReader(client.GetStream());
        var answer = await reader.ReadToEndAsync(timeout.Token);

        Assert.StartsWith("HTTP/1.1 503", answer, StringComparison.Ordinal);
        Assert.Contains("upload_lost", answer, StringComparison.Ordinal);
        await Api.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Stored_responses_are_deleted_after_their_retention_time()
    {
        using var accepted = await Alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)), key: "k");
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        await Api.Sweeper.DeleteExpiredResponsesAsync(CancellationToken.None);
        Assert.Equal(1, await Api.CountAsync("idempotency_keys"));

        await Database.DataSource.Sql("update idempotency_keys set created_at = now() - interval '8 days'").ExecuteNonQueryAsync();
        await Api.Sweeper.DeleteExpiredResponsesAsync(CancellationToken.None);
        Assert.Equal(0, await Api.CountAsync("idempotency_keys"));
    }

    /// <summary>Sends the headers and the first bytes of a 1,000-byte body.</summary>
    private async Task BeginAsync(TcpClient client)
    {
        await client.ConnectAsync(IPAddress.Loopback, Api.Address.Port);
        var head =
            $"POST /v1/requests HTTP/1.1\r\nHost: x\r\nAuthorization: {Alice.DefaultRequestHeaders.Authorization}\r\n" +
            "Content-Type: text/csv\r\nContent-Length: 1000\r\n\r\nS. No.,Product Name,Input Image Urls\n";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head));
        await Eventually.TrueAsync(async () => await Api.CountAsync("uploads") == 1);
    }

    private async Task<RequestId> DeadUploadAsync(string key)
    {
        // The sweep at startup must not find this upload.
        await Api.Sweeper.FirstSweep;
        var id = Guid.NewGuid();
        await Database.DataSource.Sql(
                """
                insert into uploads (id, owner_id, idempotency_key, process_id)
                select @id, id, @key, gen_random_uuid()
                from owners
                where name = 'alice'
                """)
            .With("id", id)
            .With("key", key)
            .ExecuteNonQueryAsync();
        return new RequestId(id);
    }

    private async Task AssertNoPartsAsync()
    {
        using var client = S3.CreateClient();
        var uploads = await client.ListMultipartUploadsAsync(new Amazon.S3.Model.ListMultipartUploadsRequest { BucketName = S3.Connection.Bucket });
        Assert.Empty(uploads.MultipartUploads ?? []);
    }
}
