using Aspire.Hosting.ApplicationModel;
using Darkroom.AppHost.Hosting;
using Darkroom.AppHost.Local.Run;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting;

/// <summary>Collects the model and builds the host that runs it.</summary>
internal sealed class DistributedApplicationBuilder : IDistributedApplicationBuilder
{
    /// <summary>Above what a service may take to stop, twice: services stop one after the other, replicas together.</summary>
    private static readonly TimeSpan ShutdownLimit = TimeSpan.FromMinutes(3);

    private readonly HostApplicationBuilder _host;
    private readonly List<IResource> _resources = [];

    public DistributedApplicationBuilder(string[] args)
    {
        var directory = Path.Combine(Repository.Root, "AppHost");
        _host = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings
        {
            Args = args,
            ApplicationName = "AppHost",
            ContentRootPath = Directory.Exists(directory) ? directory : AppContext.BaseDirectory,
            // Whoever starts services on one machine with a data folder is developing.
            EnvironmentName = Variable("DOTNET_ENVIRONMENT") ?? Variable("ASPNETCORE_ENVIRONMENT") ?? Environments.Development,
        });
        _host.Logging.SetMinimumLevel(LogLevel.Warning);
        _host.Services.Configure<HostOptions>(options => options.ShutdownTimeout = ShutdownLimit);
        _host.Services.AddSingleton(TimeProvider.System);
        _host.Services.AddSingleton<ConsoleLines>();
        _host.Services.AddSingleton<RunReport>();
        _host.Services.AddSingleton<IReadOnlyList<IResource>>(_resources);
    }

    public ConfigurationManager Configuration => _host.Configuration;

    public IServiceCollection Services => _host.Services;

    public IHostEnvironment Environment => _host.Environment;

    public string AppHostDirectory => _host.Environment.ContentRootPath;

    public IResourceBuilder<T> AddResource<T>(T resource)
        where T : IResource
    {
        if (_resources.Exists(other => other.Name.Equals(resource.Name, StringComparison.OrdinalIgnoreCase)))
            throw new InvalidOperationException($"There are two resources named '{resource.Name}'.");
        _resources.Add(resource);
        return new ResourceBuilder<T>(this, resource);
    }

    public DistributedApplication Build()
    {
        RefuseCircles();
        // Last: what runs inside this process (storage, samples) listens before the first service starts.
        _host.Services.AddHostedService<LocalOrchestrator>();
        return new DistributedApplication(_host.Build());
    }

    private void RefuseCircles()
    {
        var cleared = new HashSet<IResource>();
        foreach (var resource in _resources) Visit(resource, []);

        void Visit(IResource resource, HashSet<IResource> path)
        {
            if (cleared.Contains(resource)) return;
            if (!path.Add(resource))
                throw new InvalidOperationException($"These wait for each other: {string.Join(", ", path.Select(r => r.Name))}.");
            foreach (var dependency in ((Resource)resource).WaitsFor) Visit(dependency, path);
            path.Remove(resource);
            cleared.Add(resource);
        }
    }

    private static string? Variable(string name) => System.Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
