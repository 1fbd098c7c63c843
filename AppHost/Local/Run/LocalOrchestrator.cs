using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Darkroom.AppHost.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Darkroom.AppHost.Local.Run;

/// <summary>
/// Starts the resources of the model, each as soon as what it waits for is healthy; says so when all are; stops them in reverse.
/// </summary>
internal sealed class LocalOrchestrator(
    IReadOnlyList<IResource> resources,
    DataFolder data,
    RunReport report,
    ConsoleLines console,
    IConfiguration configuration,
    IHostEnvironment environment,
    IHostApplicationLifetime lifetime,
    TimeProvider time) : IHostedService, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly Stack<IRunning> _running = [];
    private Task _start = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // In the background: a start that is interrupted by Ctrl+C must still come to StopAsync.
        _start = Task.Run(StartAllAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _start;
        while (_running.TryPop(out var next)) await next.StopAsync();
    }

    public void Dispose() => _stop.Dispose();

    private async Task StartAllAsync()
    {
        try
        {
            var started = time.GetTimestamp();
            var healthy = resources.ToDictionary(
                resource => resource, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            await WhenAllOrFirstFailureAsync(resources.Select(resource => StartAsync(resource, healthy)));
            var processes = _running.Reverse().SelectMany(running => running.Processes).ToList();
            await report.PublishAsync(resources, processes, time.GetElapsedTime(started));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Told to stop before everything ran.
        }
        catch (Exception e)
        {
            console.WriteBlock(["", console.Bold("The start failed."), Explain(e), ""]);
            Environment.ExitCode = 1;
            lifetime.StopApplication();
        }
    }

    /// <summary>One that fails leaves others waiting for it: they are called off.</summary>
    private async Task WhenAllOrFirstFailureAsync(IEnumerable<Task> starts)
    {
        var pending = starts.ToList();
        Exception? failure = null;
        while (pending.Count > 0)
        {
            var done = await Task.WhenAny(pending);
            pending.Remove(done);
            if (done.IsFaulted && failure is null)
            {
                failure = done.Exception!.InnerException;
                await _stop.CancelAsync();
            }
        }

        if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        _stop.Token.ThrowIfCancellationRequested();
    }

    private async Task StartAsync(IResource resource, Dictionary<IResource, TaskCompletionSource> healthy)
    {
        var cancellation = _stop.Token;
        if (resource is Resource { WaitsFor: var dependencies })
            await Task.WhenAll(dependencies.Select(dependency => healthy[dependency].Task)).WaitAsync(cancellation);

        switch (resource)
        {
            case PostgresServerResource server:
                var postgres = await RunningPostgres.StartAsync(server, data, configuration, console.For(server.Name), cancellation);
                Push(postgres);
                _ = ReportEndAsync(server.Name, postgres);
                break;
            case PostgresDatabaseResource database:
                await RunningPostgres.CreateAsync(database, cancellation);
                break;
            case RedisResource redis:
                Push(RunningRedis.Start(redis));
                break;
            case ProjectResource project:
                var service = new RunningProject(project, console, time);
                Push(service);
                await service.StartAsync(environment.IsDevelopment(), cancellation);
                await service.UntilHealthyAsync(cancellation);
                break;
            case ConnectionStringResource given:
                await given.GetConnectionStringAsync(cancellation);
                break;
            case ParameterResource parameter:
                await parameter.GetValueAsync(cancellation);
                break;
            default:
                throw ResourceExtensions.Unsupported(
                    $"the resource '{resource.Name}' ({resource.GetType().Name})", "build with UseAspirePackages=true");
        }

        healthy[resource].SetResult();
    }

    private void Push(IRunning running)
    {
        lock (_gate) _running.Push(running);
    }

    private async Task ReportEndAsync(string name, RunningPostgres postgres)
    {
        var code = await postgres.Exited;
        if (!_stop.IsCancellationRequested)
            console.Write(name, $"ended with exit code {code}. It is not started again; restart the AppHost for that.");
    }

    private static string Explain(Exception e) => e is SettingException or InvalidOperationException or NotSupportedException
        ? e.Message
        : e.ToString();
}
