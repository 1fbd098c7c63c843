using System.Net;
using Aspire.Hosting.ApplicationModel;
using Darkroom.AppHost.Local.Processes;

namespace Darkroom.AppHost.Local.Run;

/// <summary>All replicas of a service.</summary>
internal sealed class RunningProject(ProjectResource project, ConsoleLines console, TimeProvider time) : IRunning
{
    private static readonly TimeSpan ProbePause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ProbeLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly List<(string Name, ChildProcess Process)> _replicas = [];
    private volatile bool _stopping;

    public IEnumerable<RunningProcess> Processes => _replicas.Select(replica => new RunningProcess(replica.Name, replica.Process.Id));

    public async Task StartAsync(bool development, CancellationToken cancellation)
    {
        for (var i = 1; i <= project.Replicas; i++)
        {
            var name = project.Replicas == 1 ? project.Name : $"{project.Name}-{i}";
            var environment = await ProjectEnvironment.BuildAsync(project, name, development, console.HasColor, cancellation);
            cancellation.ThrowIfCancellationRequested();
            var process = await ChildProcess.StartAsync(
                new LaunchRequest(Launcher.DotnetHost, [project.Project.AssemblyPath, .. project.Arguments])
                {
                    WorkingDirectory = Path.GetDirectoryName(project.Project.ProjectPath)!,
                    Environment = environment,
                    Output = console.For(name),
                });
            _replicas.Add((name, process));
        }
    }

    /// <summary>Returns when its health check passes (without one: when it runs). Throws if a replica ends before.</summary>
    public async Task UntilHealthyAsync(CancellationToken cancellation)
    {
        if (project.HealthPath is { } path && project.Endpoints.Count > 0)
        {
            using var http = new HttpClient { Timeout = ProbeLimit };
            var url = new Uri(project.Endpoints[0].Url + path);
            var patience = time.GetTimestamp();
            while (await ProbeAsync(http, url, cancellation) is { } trouble)
            {
                await ThrowIfEndedAsync();
                if (time.GetElapsedTime(patience) > Patience)
                {
                    console.Write(project.Name, $"not healthy yet: {url} {trouble}");
                    patience = time.GetTimestamp();
                }

                await Task.Delay(ProbePause, time, cancellation);
            }
        }

        await ThrowIfEndedAsync();
        foreach (var (name, process) in _replicas) _ = ReportEndAsync(name, process);
    }

    public async Task StopAsync()
    {
        _stopping = true;
        await Task.WhenAll(_replicas.Select(async replica =>
        {
            if (!await replica.Process.StopAsync(Signals.Terminate, StopLimit, time))
                console.Write(replica.Name, $"did not stop within {StopLimit.TotalSeconds:0} s and was ended.");
            replica.Process.Dispose();
        }));
    }

    /// <summary>Longer than the 30 s that .NET's hosts give their own services.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(35);

    /// <summary>Null: healthy. Else what was wrong.</summary>
    private static async Task<string?> ProbeAsync(HttpClient http, Uri url, CancellationToken cancellation)
    {
        try
        {
            using var response = await http.GetAsync(url, cancellation);
            return response.StatusCode == HttpStatusCode.OK
                ? null
                : $"answers {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(cancellation)}";
        }
        catch (HttpRequestException)
        {
            return "does not answer";
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return $"does not answer within {ProbeLimit.TotalSeconds:0} s";
        }
    }

    private async Task ThrowIfEndedAsync()
    {
        foreach (var (name, process) in _replicas)
            if (process.Exited.IsCompleted)
                throw new InvalidOperationException(
                    $"{name} ended with exit code {await process.Exited} before it was healthy; the lines above say why.");
    }

    /// <summary>
    /// Not started again: Aspire's own host leaves a project that exits as it is, and a host that revives services hides the
    /// crashes that a developer should see. The other replicas take over its work.
    /// </summary>
    private async Task ReportEndAsync(string name, ChildProcess process)
    {
        var code = await process.Exited;
        if (!_stopping) console.Write(name, $"ended with exit code {code}. It is not started again; restart the AppHost for that.");
    }
}
