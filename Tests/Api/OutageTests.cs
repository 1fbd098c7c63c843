using System.Diagnostics;
using System.Net;
using Darkroom.Tests.Infrastructure;
using Npgsql;

namespace Darkroom.Tests.Api;

#pragma warning disable CA1001 // The fields are disposed of by xunit's DisposeAsync.
public sealed class OutageTests : IAsyncLifetime
#pragma warning restore CA1001
{
    private TestDatabase _database = null!;
    private TestS3 _s3 = null!;
    private TcpRelay _wire = null!;
    private TestApi _api = null!;
    private HttpClient _alice = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _s3 = await TestS3.StartAsync();
        var direct = new NpgsqlConnectionStringBuilder(_database.ConnectionString);
        _wire = new TcpRelay(direct.Host!, direct.Port);
        direct.Port = _wire.Port;
        direct.SslMode = SslMode.Disable;
        _api = await TestApi.StartAsync(direct.ConnectionString, _s3.ConnectionString, "UploadSweep:Every=01:00:00", "Access:Cache=00:05:00");
        _alice = await _api.ClientAsync();
    }

    public async Task DisposeAsync()
    {
        _alice.Dispose();
        _wire.Up();
        _wire.Unhang();
        await _api.DisposeAsync();
        await _wire.DisposeAsync();
        await _s3.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task An_unavailable_database_is_503_quickly_and_calls_succeed_once_it_is_back()
    {
        var id = await _alice.AcceptedAsync();
        _wire.Down();

        foreach (var path in new[] { "/v1/requests", $"/v1/requests/{id}", $"/v1/requests/{id}/images", $"/v1/requests/{id}/input.csv", "/i/1/AAAA" })
            await AssertUnavailableAsync(() => _alice.GetAsync(path), "database_unavailable");
        await AssertUnavailableAsync(() => _alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv))), "database_unavailable");

        _wire.Up();
        await Eventually.TrueAsync(async () => (await _alice.GetAsync($"/v1/requests/{id}")).StatusCode == HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_hanging_database_is_503_quickly()
    {
        var id = await _alice.AcceptedAsync();
        foreach (var path in new[] { "/v1/requests", $"/v1/requests/{id}", $"/v1/requests/{id}/images" })
        {
            // Leaves a connection that is open when the database begins to hang.
            await Eventually.TrueAsync(async () => (await _alice.GetAsync(path)).StatusCode == HttpStatusCode.OK);
            _wire.Hang();
            await AssertUnavailableAsync(() => _alice.GetAsync(path), "timed_out", seconds: 4);
            _wire.Unhang();
        }
    }

    [Fact]
    public async Task Unavailable_storage_is_503_quickly_and_leaves_nothing()
    {
        var id = await _alice.AcceptedAsync();
        var keys = await _api.KeysAsync();
        _s3.BeforeRequest = context => TestS3.RefuseAsync(context, 503, "SlowDown");

        await AssertUnavailableAsync(() => _alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)), key: "k"), "storage_unavailable", seconds: 4);
        await AssertUnavailableAsync(() => _alice.GetAsync($"/v1/requests/{id}/input.csv"), "storage_unavailable", seconds: 4);

        _s3.BeforeRequest = null;
        Assert.Equal(0, await _api.CountAsync("uploads"));
        Assert.Equal(1, await _api.CountAsync("csv_data_table"));
        Assert.Equal(keys, await _api.KeysAsync());
        using var again = await _alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)), key: "k");
        Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
    }

    [Fact]
    public async Task Status_does_not_need_storage()
    {
        var id = await _alice.AcceptedAsync();
        _s3.BeforeRequest = context => TestS3.RefuseAsync(context, 503, "SlowDown");

        using var response = await _alice.GetAsync($"/v1/requests/{id}");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_commit_whose_response_is_lost_is_looked_up_and_accepted_once()
    {
        await _alice.AcceptedAsync();
        _wire.CutAt("commit\0", delivered: true);

        using var response = await _alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)), key: "k");
        Assert.False(_wire.IsCutDue);
        var request = await response.JsonAsync(HttpStatusCode.Accepted);
        using var found = await _alice.GetAsync($"/v1/requests/{request.GetProperty("id").GetGuid()}");
        Assert.Equal(HttpStatusCode.OK, found.StatusCode);
        using var again = await _alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)), key: "k");
        Assert.Equal(request.GetRawText(), (await again.JsonAsync(HttpStatusCode.Accepted)).GetRawText());
        Assert.Equal(2, await _api.CountAsync("csv_data_table"));
        Assert.Equal(2, (await _api.KeysAsync()).Count);
    }

    [Fact]
    public async Task A_commit_that_never_arrives_is_503_and_leaves_nothing()
    {
        await _alice.AcceptedAsync();
        _wire.CutAt("commit\0", delivered: false);

        using var response = await _alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)), key: "k");
        Assert.False(_wire.IsCutDue);
        await response.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, "upload_lost");
        Assert.NotNull(response.Headers.RetryAfter?.Delta);
        Assert.Equal(1, await _api.CountAsync("csv_data_table"));
        Assert.Equal(0, await _api.CountAsync("uploads"));
        Assert.Single(await _api.KeysAsync());
        using var again = await _alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)), key: "k");
        Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
    }

    private static async Task AssertUnavailableAsync(Func<Task<HttpResponseMessage>> call, string code, double seconds = 2)
    {
        var began = Stopwatch.GetTimestamp();
        using var response = await call();
        var took = Stopwatch.GetElapsedTime(began);
        await response.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, code);
        Assert.NotNull(response.Headers.RetryAfter?.Delta);
        Assert.True(took < TimeSpan.FromSeconds(seconds), $"The answer took {took}.");
    }
}
