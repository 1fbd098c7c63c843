using Darkroom.AppHost.Hosting;
using Darkroom.AppHost.Postgres;
using Darkroom.Tests.AppHost;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.EndToEnd;

/// <summary>A Postgres server for a single test, which can be stopped and restarted with the same data and port.</summary>
internal sealed class RestartablePostgres : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly PostgresClusterOptions _options;
    private readonly int _port = FreePort.Find();
    private PostgresServer _server = null!;

    private RestartablePostgres() => _options = new PostgresClusterOptions
    {
        Folder = Path.Combine(_folder.Path, "postgres"),
        Password = "of the test",
        Durable = false,
    };

    public string ConnectionString => _server.ConnectionString;

    public static async Task<RestartablePostgres> StartAsync()
    {
        var postgres = new RestartablePostgres();
        await postgres.StartServerAsync();
        return postgres;
    }

    public async Task RestartAsync()
    {
        await _server.DisposeAsync();
        await StartServerAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    private async Task StartServerAsync() => _server = await PostgresServer.StartAsync(_options, _port);
}
