namespace Darkroom.AppHost.Hosting;

/// <summary>
/// <c>run.json</c> in the data folder: addresses, keys and process ids for scripts and tests. It exists from the moment everything is
/// healthy until the host stops. Also saves the running processes for the next run, in case this one is killed (<see cref="PreviousRun"/>).
/// </summary>
internal sealed class RunFile(DistributedApplicationModel model, LocalRun run)
{
    // The name of Aspire's own resource. Left out of the processes: scripts use its URL.
    private const string DashboardName = "aspire-dashboard";

    private static readonly string[] ConnectionStringNames = ["darkroom", "redis", "s3"];

    private List<(string Name, int Pid)> _processes = [];
    private bool _isWritten;

    /// <summary>Writes the files if anything has changed.</summary>
    public async Task UpdateAsync(IEnumerable<ResourceEvent> latest, bool isReady, CancellationToken cancellationToken)
    {
        var processes = ProcessesOf(latest);
        var haveChanged = !processes.SequenceEqual(_processes);
        _processes = processes;
        if (haveChanged)
            PreviousRun.SaveProcesses(run.Data, processes);
        if (!isReady || (_isWritten && !haveChanged))
            return;
        await WriteAsync(cancellationToken);
        _isWritten = true;
    }

    /// <summary>Replicas are numbered: worker-1, worker-2.</summary>
    private static List<(string Name, int Pid)> ProcessesOf(IEnumerable<ResourceEvent> latest) =>
    [
        .. from change in latest
           let pid = OrderedStop.ProcessIdOf(change.Snapshot)
           where pid is not null
           orderby change.ResourceId
           group pid.Value by change.Resource into replicas
           orderby replicas.Key.Name
           let hasReplicas = replicas.Key is ProjectResource service && service.GetReplicaCount() > 1
           from replica in replicas.Index()
           select (hasReplicas ? $"{replicas.Key.Name}-{replica.Index + 1}" : replicas.Key.Name, replica.Item),
    ];

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        var connectionStrings = new Dictionary<string, string?>();
        foreach (var resource in model.Resources.OfType<IResourceWithConnectionString>())
            if (ConnectionStringNames.Contains(resource.Name))
                connectionStrings[resource.Name] = await resource.GetConnectionStringAsync(cancellationToken);
        run.Data.WriteRunFile(new
        {
            Api = run.Settings.ApiUrl,
            Studio = run.Settings.ApiUrl + "/studio",
            S3 = EndpointOf(connectionStrings.GetValueOrDefault("s3")),
            Samples = run.Settings.SamplesUrl,
            Dashboard = run.DashboardLink,
            Key = run.DevelopmentKey,
            ConnectionStrings = connectionStrings,
            Processes = _processes
                .Where(process => process.Name != DashboardName)
                .Prepend((Name: "apphost", Pid: Environment.ProcessId))
                .Select(process => new { process.Name, process.Pid }),
        });
    }

    private static string? EndpointOf(string? connectionString) =>
        connectionString?.Split(';', StringSplitOptions.TrimEntries)
            .FirstOrDefault(part => part.StartsWith("Endpoint=", StringComparison.OrdinalIgnoreCase))?["Endpoint=".Length..];
}
