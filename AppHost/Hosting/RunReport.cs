using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Darkroom.AppHost.Hosting;

/// <summary>
/// Tells the person at the console what becomes of each resource, and what runs where once everything does; keeps
/// <see cref="RunFile"/> for programs.
/// </summary>
internal sealed partial class RunReport(
    DistributedApplicationModel model,
    ResourceNotificationService notifications,
    ResourceLoggerService loggers,
    LocalRun run,
    IHostApplicationLifetime lifetime) : BackgroundService
{
    private const int LastLines = 25;

    // As Aspire's orchestrator has it: a program has no exit code when a signal ends it.
    private const int EndedBySignal = -1;

    private readonly Dictionary<string, ResourceEvent> _latest = [];
    private readonly HashSet<(string Resource, DateTime? Started, string Text)> _said = [];
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
                await TellAsync(change, stop.Token);
                var becameReady = !_isReady && IsReady();
                _isReady |= becameReady;
                await file.UpdateAsync(_latest.Values, _isReady, stop.Token);
                if (becameReady) Console.WriteLine(Summary());
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
        latest.Snapshot.State?.Text == KnownResourceStates.Running && latest.Snapshot.HealthStatus == HealthStatus.Healthy;

    private async Task TellAsync(ResourceEvent change, CancellationToken cancellationToken)
    {
        var state = change.Snapshot.State?.Text;
        var hasEnded = KnownResourceStates.TerminalStates.Contains(state);
        switch (change.Resource)
        {
            case ParameterResource:
                break;
            case { Name: StudioPackage.Name } when state == KnownResourceStates.Running:
                SayOnce(change, "fetching Elsa Studio with npm (46 MB, once)");
                break;
            case { Name: StudioPackage.Name } when hasEnded && change.Snapshot.ExitCode == 0:
                SayOnce(change, "Elsa Studio is there");
                break;
            case var _ when IsHealthy(change) && !_isReady && !change.Snapshot.IsHidden:
                SayOnce(change, "ready");
                break;
            // A database ends with its server, which tells of it.
            case not IResourceWithParent when hasEnded && change.Snapshot.ExitCode == EndedBySignal:
                SayOnce(change, "was stopped or killed");
                break;
            case not IResourceWithParent when hasEnded && change.Snapshot.ExitCode is not 0:
                await TellOfFailureAsync(change, cancellationToken);
                break;
        }
    }

    private async Task TellOfFailureAsync(ResourceEvent change, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        await foreach (var batch in loggers.GetAllAsync(change.ResourceId).WithCancellation(cancellationToken))
            lines.AddRange(batch.SelectMany(line => Readable(line.Content)));
        if (lines.Any(line => line.Contains("stopped waiting for dependency resource", StringComparison.Ordinal)))
        {
            SayOnce(change, "was not started, for what it needs is not there");
            return;
        }

        var what = change.Snapshot.ExitCode is { } code
            ? string.Create(CultureInfo.InvariantCulture, $"ended with exit code {code}")
            : "did not start";
        if (!SayOnce(change, what + ". Its last lines:")) return;
        foreach (var line in lines.TakeLast(LastLines)) Console.WriteLine("    " + line);
        // Everything else works without Studio.
        if (change.Resource.Name == StudioPackage.Name) return;
        if (run.DashboardLink is { } dashboard)
        {
            Console.WriteLine($"  Once it is put right, start it again in the dashboard: {dashboard}");
        }
        else if (!_isReady)
        {
            // Nobody could.
            run.ExitCode = 1;
            lifetime.StopApplication();
        }
    }

    /// <summary>Without time stamps and stack traces: the dashboard has both.</summary>
    private static IEnumerable<string> Readable(string content) =>
        TimeStamp().Replace(content, "").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.TrimEnd())
            .Where(line => !line.StartsWith("   at ", StringComparison.Ordinal) && !line.StartsWith("--- End of", StringComparison.Ordinal));

    [GeneratedRegex(@"\A\d{4}-\d\d-\d\dT[\d:.]+Z ")]
    private static partial Regex TimeStamp();

    /// <summary>False if it was said before.</summary>
    private bool SayOnce(ResourceEvent change, string text)
    {
        if (!_said.Add((change.ResourceId, change.Snapshot.StartTimeStamp, text))) return false;
        // Aspire gives each instance a suffix, which tells something only where there are several.
        var isOneOfMany = change.Resource is ProjectResource service && service.GetReplicaCount() > 1;
        LocalRun.Say(isOneOfMany ? change.ResourceId : change.Resource.Name, text);
        return true;
    }

    private string Summary() => string.Create(CultureInfo.InvariantCulture, $"""

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
}

internal static class RunReportExtensions
{
    public static void ReportRun(this IDistributedApplicationBuilder builder) =>
        // First: Aspire's own service returns from its start only when every resource was started, and by then there is little to tell.
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IHostedService, RunReport>());
}
