using Darkroom.AppHost.Local;
using Darkroom.AppHost.Local.Postgres;
using Darkroom.AppHost.Local.Processes;
using Darkroom.Tests.AppHost;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.EndToEnd;

/// <summary>A Postgres server of one test, which stops and starts again as a machine's would: same data, same port.</summary>
internal sealed class RestartablePostgres : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly PostgresServerOptions _options;
    private PostgresServer _server = null!;

    private RestartablePostgres() => _options = new PostgresServerOptions
    {
        Folder = Path.Combine(_folder.Path, "postgres"),
        Password = "of the test",
        Port = FreePort.Find(),
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

    private async Task StartServerAsync()
    {
        _server = await PostgresServer.StartAsync(_options, CancellationToken.None);
        Warden.Shared.Guard(_server.ProcessId, Signals.Quit);
    }
}
