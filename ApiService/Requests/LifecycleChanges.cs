using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Runs;
using Darkroom.Telemetry;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Requests;

/// <summary>
/// Runs cancellations and retries to completion even if the client disconnects. If a change of a million images were rolled back
/// whenever a client or proxy timed out, it would never succeed.
/// </summary>
internal sealed partial class LifecycleChanges(
    RequestLifecycle lifecycle, TimeProvider time, IOptions<RequestsOptions> options, ILogger<LifecycleChanges> logger) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Change, Task<LifecycleResult>> _running = [];
    private readonly CancellationTokenSource _stop = new();

    /// <summary>The result of <see cref="RequestLifecycle.CancelAsync"/>, or null if it is still running after <see cref="RequestsOptions.ChangeResponse"/>.</summary>
    public Task<LifecycleResult?> CancelAsync(OwnerId owner, RequestId request, CancellationToken cancellationToken) =>
        WaitAsync(new Change("Cancelling", owner, request), lifecycle.CancelAsync, cancellationToken);

    /// <summary>The result of <see cref="RequestLifecycle.RetryAsync"/>, or null if it is still running after <see cref="RequestsOptions.ChangeResponse"/>.</summary>
    public Task<LifecycleResult?> RetryAsync(OwnerId owner, RequestId request, CancellationToken cancellationToken) =>
        WaitAsync(new Change("Retrying", owner, request), lifecycle.RetryAsync, cancellationToken);

    private async Task<LifecycleResult?> WaitAsync(Change change, Work work, CancellationToken cancellationToken)
    {
        var result = StartOrJoin(change, work);
        try
        {
            return await result.WaitAsync(options.Value.ChangeResponse, time, cancellationToken);
        }
        catch (TimeoutException) when (!result.IsCompleted)
        {
            return null;
        }
    }

    /// <summary>Starts the change, or joins it if it is already running, so that repeated calls do not wait on database locks.</summary>
    private Task<LifecycleResult> StartOrJoin(Change change, Work work)
    {
        lock (_lock)
        {
            if (!_running.TryGetValue(change, out var result))
                _running[change] = result = Task.Run(() => RunToEndAsync(change, work), CancellationToken.None);
            return result;
        }
    }

    private async Task<LifecycleResult> RunToEndAsync(Change change, Work work)
    {
        using var scope = logger.BeginRequest(change.Request);
        using var limit = new CancellationTokenSource(options.Value.Change, time);
        using var limitOrStop = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stop.Token);
        try
        {
            return await work(change.Owner, change.Request, limitOrStop.Token);
        }
        catch (Exception e)
        {
            // Logged here because no caller may be waiting any more.
            LogFailed(e, change.Verb, change.Request);
            throw;
        }
        finally
        {
            lock (_lock)
                _running.Remove(change);
        }
    }

    /// <summary>Cancels running changes; their transactions roll back.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Task[] running;
        lock (_lock)
            running = [.. _running.Values];
        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private delegate Task<LifecycleResult> Work(OwnerId owner, RequestId request, CancellationToken cancellationToken);

    private readonly record struct Change(string Verb, OwnerId Owner, RequestId Request);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Verb} request {Request} failed")]
    private partial void LogFailed(Exception exception, string verb, RequestId request);
}
