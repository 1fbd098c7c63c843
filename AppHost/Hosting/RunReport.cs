using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Darkroom.AppHost.Hosting;

/// <summary>
/// Says what happens while everything starts, and what runs where once it does: to people on the console, to scripts and tests in
/// run.json, and to the next run, should this one be killed.
/// </summary>
internal sealed class RunReport(
    DistributedApplicationModel model,
    ResourceNotificationService notifications,
    ResourceLoggerService loggers,
    LocalRun run,
    IHostApplicationLifetime lifetime) : BackgroundService
{
    private const int LastLines = 25;

    // As Aspire's orchestrator has it: a program has no exit code when a signal ends it.
    private const int EndedBySignal = -1;

    // As Aspire names its resource. Scripts know it by its URL.
    private const string DashboardName = "aspire-dashboard";

    private readonly Dictionary<string, ResourceEvent> _latest = [];
    private readonly HashSet<string> _said = [];
    private List<(string Name, int Pid)> _processes = [];
    private bool _isReady;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        try
        {
            await foreach (var change in notifications.WatchAsync(stop.Token))
            {
                _latest[change.ResourceId] = change;
                await TellAsync(change, stop.Token);
                var changed = await UpdateProcessesAsync();
                if (!_isReady && IsReady())
                {
                    _isReady = true;
                    await WriteRunFileAsync(stop.Token);
                    Console.WriteLine(Block());
                }
                else if (_isReady && changed)
                {
                    await WriteRunFileAsync(stop.Token);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Told to stop.
        }
    }

    private bool IsReady() => model.Resources.OfType<ProjectResource>().All(service =>
        _latest.Values.Count(latest => latest.Resource == service && IsHealthy(latest)) >= service.GetReplicaCount());

    private static bool IsHealthy(ResourceEvent latest) =>
        latest.Snapshot.State?.Text == KnownResourceStates.Running
        && latest.Snapshot.HealthStatus == Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy;

    private async Task TellAsync(ResourceEvent change, CancellationToken cancellation)
    {
        var state = change.Snapshot.State?.Text;
        if (change.Resource is ParameterResource || (change.Snapshot.IsHidden && state != KnownResourceStates.FailedToStart)) return;
        if (change.Resource.Name == StudioPackage.Name && state == KnownResourceStates.Running)
            SayOnce(change, "fetching Elsa Studio with npm (46 MB, once)");
        else if (change.Resource.Name == StudioPackage.Name && state == KnownResourceStates.Finished && change.Snapshot.ExitCode == 0)
            SayOnce(change, "Elsa Studio is there");
        else if (IsHealthy(change) && !_isReady)
            SayOnce(change, "ready");
        else if (state == KnownResourceStates.FailedToStart || KnownResourceStates.TerminalStates.Contains(state) && change.Snapshot.ExitCode is not 0)
            await TellOfEndAsync(change, cancellation);
    }

    private async Task TellOfEndAsync(ResourceEvent change, CancellationToken cancellation)
    {
        if (change.Snapshot.ExitCode == EndedBySignal)
        {
            SayOnce(change, "was stopped or killed");
            return;
        }

        var code = change.Snapshot.ExitCode is { } known ? string.Create(CultureInfo.InvariantCulture, $" with exit code {known}") : "";
        var what = change.Snapshot.State?.Text == KnownResourceStates.FailedToStart ? "did not start" : $"ended{code}";
        if (!SayOnce(change, $"{what}. Its last lines:")) return;
        var lines = new Queue<string>();
        await foreach (var batch in loggers.GetAllAsync(change.ResourceId).WithCancellation(cancellation))
        {
            foreach (var line in batch)
            {
                lines.Enqueue(line.Content);
                if (lines.Count > LastLines) lines.Dequeue();
            }
        }

        foreach (var line in lines) Console.WriteLine("    " + line);
        if (change.Resource.Name == StudioPackage.Name) return;
        if (run.DashboardLink is { } dashboard)
        {
            Console.WriteLine($"  Start it again in the dashboard: {dashboard}");
        }
        else if (!_isReady)
        {
            run.ExitCode = 1;
            lifetime.StopApplication();
        }
    }

    /// <summary>False if it was said before.</summary>
    private bool SayOnce(ResourceEvent change, string text)
    {
        if (!_said.Add($"{change.ResourceId} {change.Snapshot.StartTimeStamp} {text}")) return false;
        LocalRun.Say(NameOf(change), text);
        return true;
    }

    /// <summary>Without the suffix that Aspire gives to each instance, unless there are several.</summary>
    private string NameOf(ResourceEvent change) => ReplicaCount(change.Resource.Name) == 1 ? change.Resource.Name : change.ResourceId;

    /// <summary>True if they are others than before.</summary>
    private Task<bool> UpdateProcessesAsync()
    {
        var now = _latest.Values
            .Select(latest => (latest.Resource.Name, latest.ResourceId, Pid: OrderedStop.ProcessIdOf(latest.Snapshot)))
            .Where(process => process.Pid is not null)
            .OrderBy(process => process.Name, StringComparer.Ordinal).ThenBy(process => process.ResourceId, StringComparer.Ordinal)
            .GroupBy(process => process.Name, process => process.Pid!.Value)
            .SelectMany(replicas => replicas.Select((pid, index) => (ReplicaCount(replicas.Key) == 1 ? replicas.Key : $"{replicas.Key}-{index + 1}", pid)))
            .ToList();
        if (now.SequenceEqual(_processes)) return Task.FromResult(false);
        _processes = now;
        PreviousRun.Remember(run.Data, _processes);
        return Task.FromResult(true);
    }

    private int ReplicaCount(string name) =>
        model.Resources.OfType<ProjectResource>().FirstOrDefault(service => service.Name == name)?.GetReplicaCount() ?? 1;

    private async Task WriteRunFileAsync(CancellationToken cancellation)
    {
        var connectionStrings = new Dictionary<string, string?>();
        foreach (var resource in model.Resources.OfType<IResourceWithConnectionString>().Where(IsNeeded))
            connectionStrings[resource.Name] = await resource.GetConnectionStringAsync(cancellation);
        run.Data.WriteRunFile(new
        {
            Api = run.Settings.ApiUrl,
            Studio = run.Settings.ApiUrl + "/studio",
            S3 = EndpointOf(connectionStrings.GetValueOrDefault("s3")),
            Samples = run.Settings.SamplesUrl,
            Dashboard = run.DashboardLink,
            Key = run.Data.Secrets.DevelopmentKey,
            ConnectionStrings = connectionStrings,
            Processes = _processes
                .Where(process => process.Name != DashboardName)
                .Prepend(("apphost", Environment.ProcessId))
                .Select(process => new { Name = process.Item1, Pid = process.Item2 }),
        });

        static bool IsNeeded(IResource resource) => resource.Name is "darkroom" or "redis" or "s3";
    }

    private string Block() => string.Create(CultureInfo.InvariantCulture, $"""

          Darkroom is ready after {LocalRun.Elapsed.TotalSeconds:0.0} s

            Page           {run.Settings.ApiUrl}
            Studio         {run.Settings.ApiUrl}/studio
            API reference  {run.Settings.ApiUrl}/scalar
            Dashboard      {run.DashboardLink ?? "off (Dashboard=false)"}
            Key            {run.Data.Secrets.DevelopmentKey}
            Data           {run.Data.Path}

          Try it:

            curl -s {run.Settings.SamplesUrl}/products.csv |
              curl -H "Authorization: Bearer {run.Data.Secrets.DevelopmentKey}" -F "file=@-;filename=products.csv" {run.Settings.ApiUrl}/v1/requests

          Ctrl+C stops everything in order.

        """);

    private static string? EndpointOf(string? connectionString) =>
        connectionString?.Split(';', StringSplitOptions.TrimEntries)
            .FirstOrDefault(part => part.StartsWith("Endpoint=", StringComparison.OrdinalIgnoreCase))?["Endpoint=".Length..];
}

internal static class RunReportExtensions
{
    public static void ReportRun(this IDistributedApplicationBuilder builder) =>
        // First: Aspire's own service returns from its start only when every resource was started, and by then there is little to tell.
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IHostedService, RunReport>());
}
