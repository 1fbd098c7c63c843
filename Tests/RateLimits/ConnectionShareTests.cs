using System.Net;
using System.Net.Http.Headers;
using Darkroom.Data;
using Darkroom.Tests.Api;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.RateLimits;

/// <summary>A crowd that waits for the database leaves connections to others.</summary>
public sealed class ConnectionShareTests : IAsyncLifetime
{
    private const int Crowd = 60;
    private const int Share = 8;

    private TestDatabase _database = null!;
    private TestS3 _s3 = null!;
    private TestApi _api = null!;
    private HttpClient _alice = null!;
    private HttpClient _bob = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _s3 = await TestS3.StartAsync();
        _api = await TestApi.StartAsync(
            _database.ConnectionString + ";Maximum Pool Size=24", _s3.ConnectionString,
            $"RateLimit:ConcurrentPerOwner={Share}", $"Access:ConcurrentLookups={Share}", "Access:Cache=00:05:00", "Requests:QueryTimeout=00:00:30");
        _alice = await _api.ClientAsync("alice");
        _bob = await _api.ClientAsync("bob");
        foreach (var client in new[] { _alice, _bob })
            (await client.GetAsync("/v1/requests")).Dispose();
    }

    public async Task DisposeAsync()
    {
        _alice.Dispose();
        _bob.Dispose();
        await _api.DisposeAsync();
        await _s3.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Uploads_of_one_owner_leave_connections_to_others() =>
        await BesideAsync("uploads", i => _alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)), key: $"{i}"));

    [Fact]
    public async Task Downloads_of_one_owner_leave_connections_to_others() =>
        await BesideAsync("csv_data_table", _ => _alice.GetAsync($"/v1/requests/{Guid.NewGuid()}/output.csv"), "/v1/workflows");

    [Fact]
    public async Task Image_links_leave_connections_to_others() =>
        await BesideAsync("images", i => _alice.GetAsync($"/i/{i}/mac"));

    [Fact]
    public async Task Keys_that_are_looked_up_leave_connections_to_others() =>
        await BesideAsync("api_keys", async i =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/requests");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", $"dk_{i:x8}_{new string('a', 43)}");
            return await _alice.SendAsync(request);
        });

    /// <summary>While the crowd's calls all wait for a lock of the table, another owner is served.</summary>
    private async Task BesideAsync(string table, Func<int, Task<HttpResponseMessage>> call, string others = "/v1/requests")
    {
        await using var connection = await _database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.Sql($"lock table {table} in access exclusive mode").ExecuteNonQueryAsync();
        var crowd = Enumerable.Range(0, Crowd).Select(call).ToList();
        await Eventually.TrueAsync(async () => await _database.DataSource.Sql(
            "select count(*) = @share from pg_locks where not granted and relation = @table::regclass")
            .With("share", Share).With("table", table).ExecuteScalarAsync() is true);

        using (var served = await _bob.GetAsync(others))
            Assert.Equal(HttpStatusCode.OK, served.StatusCode);

        await transaction.RollbackAsync();
        foreach (var answer in await Task.WhenAll(crowd))
        {
            using (answer)
                Assert.True((int)answer.StatusCode < 500, $"Got {answer.StatusCode}");
        }
    }
}
