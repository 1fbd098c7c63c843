using System.Net.Http.Headers;
using Darkroom.Access;
using Darkroom.Api;
using Darkroom.Data;
using Darkroom.Storage;
using Darkroom.Tests.Infrastructure;
using Darkroom.Uploads;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Darkroom.Tests.Api;

/// <summary>The whole API service on a free loopback port, with real Postgres and an S3 endpoint.</summary>
internal sealed class TestApi : IAsyncDisposable
{
    public const string BaseUrl = "http://darkroom.test";

    private readonly WebApplication _app;

    private TestApi(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Urls.Single());
        Anonymous = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = Address };
    }

    public Uri Address { get; }
    public HttpClient Anonymous { get; }
    public IServiceProvider Services => _app.Services;
    public NpgsqlDataSource Database => Services.GetRequiredService<NpgsqlDataSource>();
    public ObjectStore Objects => Services.GetRequiredService<ObjectStore>();
    public UploadSweeper Sweeper => Services.GetRequiredService<UploadSweeper>();

    public static async Task<TestApi> StartAsync(string database, string s3, params string[] settings)
    {
        string[] args =
        [
            "--urls", "http://127.0.0.1:0",
            "--environment", "Production",
            $"--ConnectionStrings:darkroom={database}",
            $"--ConnectionStrings:s3={s3}",
            $"--Links:BaseUrl={BaseUrl}",
            "--Logging:LogLevel:Default=None",
            .. settings.Select(setting => "--" + setting),
        ];
        var app = ApiApp.Build(args);
        try
        {
            await app.StartAsync();
            return new TestApi(app);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public Task StopAsync() => _app.StopAsync();

    /// <summary>A client with a key for this owner.</summary>
    public async Task<HttpClient> ClientAsync(string owner = "alice", params string[] scopes)
    {
        var key = await Services.GetRequiredService<ApiKeyStore>()
            .CreateAsync(owner, "test", scopes is [] ? [Scopes.Requests] : scopes, CancellationToken.None);
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key.Text);
        return client;
    }

    public async Task<long> CountAsync(string table) =>
        (long)(await Database.Sql($"select count(*) from {table}").ExecuteScalarAsync())!;

    public async Task ExecuteAsync(string sql, Guid id) =>
        await Database.Sql(sql).With("id", id).ExecuteNonQueryAsync();

    public async Task<List<string>> KeysAsync(string prefix = "requests/")
    {
        var keys = new List<string>();
        await foreach (var found in Objects.ListAsync(prefix, CancellationToken.None))
            keys.Add(found.Key);
        return keys;
    }

    /// <summary>Asserts that no request, upload or object exists.</summary>
    public async Task AssertNothingLeftAsync()
    {
        Assert.Equal(0, await CountAsync("csv_data_table"));
        Assert.Equal(0, await CountAsync("workflow_instances"));
        Assert.Equal(0, await CountAsync("uploads"));
        Assert.Equal(0, await CountAsync("idempotency_keys"));
        Assert.Empty(await KeysAsync());
    }

    public async ValueTask DisposeAsync()
    {
        Anonymous.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
