using Darkroom.AppHost.Local.Processes;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>The model, running as processes of this machine.</summary>
public sealed class DistributedApplication : IAsyncDisposable
{
    private readonly IHost _host;

    internal DistributedApplication(IHost host) => _host = host;

    public IServiceProvider Services => _host.Services;

    public static IDistributedApplicationBuilder CreateBuilder(string[] args)
    {
        Launcher.RunIfAsked(args);
        return new DistributedApplicationBuilder(args);
    }

    /// <summary>Returns after everything has stopped.</summary>
    public Task RunAsync(CancellationToken cancellationToken = default) => _host.RunAsync(cancellationToken);

    public void Run() => _host.Run();

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
