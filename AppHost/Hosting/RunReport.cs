using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Darkroom.AppHost.Hosting;

/// <summary>
/// Prints the status of each resource to the console, and the addresses once everything is ready. Keeps <see cref="RunFile"/> up to
/// date for scripts.
/// </summary>
internal sealed partial class RunReport(
    DistributedApplicationModel model,
    ResourceNotificationService notifications,
    ResourceLoggerService loggers,
    LocalRun run,
    IHostApplicationLifetime lifetime) : BackgroundService
{
    private const int MaxLogLines = 25;

    // What Aspire's orchestrator reports for a process that was ended by a signal and so has no exit code.
    private const int EndedBySignal = -1;

    private readonly Dictionary<string, ResourceEvent> _latest = [];
    private readonly HashSet<(string Resource, DateTime? Started, string Text)> _printed = [];
    private bool _isReady;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        var file = new RunFile(model, run);
        try
        {
            await foreach (var change in notifications.WatchAsync(stop.Token))
            {
                _latest[change.ResourceId] = change;
                await ReportAsync(change, stop.Token);
                var becameReady = !_isReady && IsReady();
                _isReady |= becameReady;
                await file.UpdateAsync(_latest.Values, _isReady, stop.Token);
                if (becameReady)
                    Console.WriteLine(Summary());
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private bool IsReady() => model.Resources.OfType<ProjectResource>().All(service =>
        _latest.Values.Count(latest => latest.Resource == service && IsHealthy(latest)) >= service.GetReplicaCount());

    private static bool IsHealthy(ResourceEvent latest) =>
        latest.Snapshot.State?.Text == KnownResourceStates.Running && latest.Snapshot.HealthStatus == HealthStatus.Healthy;

    private async Task ReportAsync(ResourceEvent change, CancellationToken cancellationToken)
    {
        var state = change.Snapshot.State?.Text;
        var hasEnded = KnownResourceStates.TerminalStates.Contains(state);
        switch (change.Resource)
        {
            case ParameterResource:
                break;
            case { Name: StudioPackage.Name } when state == KnownResourceStates.Running:
                PrintOnce(change, "fetching Elsa Studio with npm (46 MB, once)");
                break;
            case { Name: StudioPackage.Name } when hasEnded && change.Snapshot.ExitCode == 0:
                PrintOnce(change, "Elsa Studio is installed");
                break;
            case var _ when IsHealthy(change) && !_isReady && !change.Snapshot.IsHidden:
                PrintOnce(change, "ready");
                break;
            // A database stops with its server, which is reported itself.
            case not IResourceWithParent when hasEnded && change.Snapshot.ExitCode == EndedBySignal
                && (_isReady || lifetime.ApplicationStopping.IsCancellationRequested):
                PrintOnce(change, "was stopped or killed");
                break;
            case not IResourceWithParent when hasEnded && change.Snapshot.ExitCode is not 0:
                await ReportFailureAsync(change, cancellationToken);
                break;
        }
    }

    private async Task ReportFailureAsync(ResourceEvent change, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        await foreach (var batch in loggers.GetAllAsync(change.ResourceId).WithCancellation(cancellationToken))
            lines.AddRange(batch.SelectMany(line => ReadableLines(line.Content)));
        if (lines.Any(line => line.Contains("stopped waiting for dependency resource", StringComparison.Ordinal)))
        {
            PrintOnce(change, "was not started because a dependency failed");
            return;
        }

        var outcome = change.Snapshot.ExitCode switch
        {
            null => "did not start",
            // Aborted by an exception, which its lines tell.
            EndedBySignal => "crashed",
            { } code => string.Create(CultureInfo.InvariantCulture, $"ended with exit code {code}"),
        };
        if (!PrintOnce(change, outcome + ". Its last lines:"))
            return;
        foreach (var line in lines.TakeLast(MaxLogLines))
            Console.WriteLine("    " + line);
        // Everything else works without Studio.
        if (change.Resource.Name == StudioPackage.Name)
            return;
        if (run.DashboardLink is { } dashboard)
        {
            Console.WriteLine($"  Fix the problem, then start it again in the dashboard: {dashboard}");
        }
        else if (!_isReady)
        {
            // Without a dashboard it cannot be restarted.
            run.ExitCode = 1;
            lifetime.StopApplication();
        }
    }

    /// <summary>Strips timestamps and stack traces, which the dashboard shows.</summary>
    private static IEnumerable<string> ReadableLines(string content) =>
        TimeStamp().Replace(content, "").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.TrimEnd())
            .Where(line => !line.StartsWith("   at ", StringComparison.Ordinal) && !line.StartsWith("--- End of", StringComparison.Ordinal));

    [GeneratedRegex(@"\A\d{4}-\d\d-\d\dT[\d:.]+Z ")]
    private static partial Regex TimeStamp();

    /// <summary>False if this was already printed.</summary>
    private bool PrintOnce(ResourceEvent change, string text)
    {
        if (!_printed.Add((change.ResourceId, change.Snapshot.StartTimeStamp, text)))
            return false;
        // Aspire adds a suffix to each instance, which is useful only if there are several.
        var hasReplicas = change.Resource is ProjectResource service && service.GetReplicaCount() > 1;
        LocalRun.Print(hasReplicas ? change.ResourceId : change.Resource.Name, text);
        return true;
    }

    private string Summary() => string.Create(CultureInfo.InvariantCulture, $"""

          Darkroom is ready after {LocalRun.Elapsed.TotalSeconds:0.0} s

            Page           {run.Settings.ApiUrl}
            Studio         {run.Settings.ApiUrl}/studio
            API reference  {run.Settings.ApiUrl}/scalar
            Dashboard      {run.DashboardLink ?? "off (Dashboard=false)"}
            Key            {run.DevelopmentKey ?? "none, because this is not development"}
            Data           {run.Data.Path}

        {(run.DevelopmentKey is { } key ? Example(key) : NoKey())}

          Press Ctrl+C to stop everything in order.

        """);

    private string Example(string key) => $"""
          Try it:

            curl -s {run.Settings.SamplesUrl}/products.csv |
              curl -H "Authorization: Bearer {key}" -F "file=@-;filename=products.csv" {run.Settings.ApiUrl}/v1/requests
        """;

    private string NoKey() => $"""
          Create a key, with the connection string darkroom from {run.Data.RunFile}:

            ConnectionStrings__darkroom=... dotnet ApiService.dll keys create --owner NAME
        """;
}

internal static class RunReportExtensions
{
    public static void ReportRun(this IDistributedApplicationBuilder builder) =>
        // Must be the first: Aspire's own service finishes starting only after every resource has started, which is too late to report progress.
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IHostedService, RunReport>());
}
