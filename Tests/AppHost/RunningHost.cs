using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Darkroom.Tests.EndToEnd;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Tests.AppHost;

/// <summary>The AppHost run by Aspire's test host for one test class: on free ports, with its own data folder, without a dashboard.</summary>
public sealed class RunningHost : IAsyncLifetime
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(3);

    private readonly TemporaryFolder _folder = new();
    private DistributedApplication? _app;

    public DistributedApplication App => _app ?? throw new InvalidOperationException("The host has not been started.");

    public ResourceNotificationService Notifications => App.ResourceNotifications;

    public IResource Resource(string name) =>
        App.Services.GetRequiredService<DistributedApplicationModel>().Resources.Single(resource => resource.Name == name);

    public async Task InitializeAsync()
    {
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(
        [
            "--data", _folder.Path, "--Ports:Api=0", "--Ports:S3=0", "--Ports:Samples=0",
            // Aspire.Hosting.Testing would wait half a minute for cleanup at the end; the tests check for leftovers themselves.
            "--DcpPublisher:WaitForResourceCleanup=false",
        ]);
        _app = await builder.BuildAsync();
        await _app.StartAsync().WaitAsync(StartTimeout);
        foreach (var service in new[] { "api", "worker" })
            await Notifications.WaitForResourceHealthyAsync(service).WaitAsync(StartTimeout);
    }

    internal async Task<DarkroomClient> ClientAsync()
    {
        var key = await ((ParameterResource)Resource("development-key")).GetValueAsync(CancellationToken.None);
        return new DarkroomClient(App.GetEndpoint("api", "http"), key!);
    }

    /// <summary>Executes a command as the dashboard's button does.</summary>
    public Task<ExecuteCommandResult> ExecuteAsync(string resource, string command) =>
        App.ResourceCommands.ExecuteCommandAsync(Resource(resource), command);

    public async Task DisposeAsync()
    {
        if (_app is not null)
            await _app.DisposeAsync();
        _folder.Dispose();
    }
}
