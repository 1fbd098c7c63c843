using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Runs;
using Darkroom.Telemetry;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Requests;

/// <summary>
/// Carries a cancellation or a retry through to its end, whether or not its client still waits: a change of a million images that
/// was undone whenever a client or a proxy lost patience would never come about.
/// </summary>
internal sealed partial class LifecycleChanges(
    RequestLifecycle lifecycle, TimeProvider time, IOptions<RequestsOptions> options, ILogger<LifecycleChanges> logger) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Change, Task<LifecycleResult>> _underWay = [];
    private readonly CancellationTokenSource _stop = new();

    /// <summary>What came of <see cref="RequestLifecycle.CancelAsync"/>, or null if it is still under way when the client has waited long enough.</summary>
    public Task<LifecycleResult?> CancelAsync(OwnerId owner, RequestId request, CancellationToken cancellationToken) =>
        WaitAsync(new Change("Cancelling", owner, request), lifecycle.CancelAsync, cancellationToken);

    /// <summary>What came of <see cref="RequestLifecycle.RetryAsync"/>, or null if it is still under way when the client has waited long enough.</summary>
    public Task<LifecycleResult?> RetryAsync(OwnerId owner, RequestId request, CancellationToken cancellationToken) =>
        WaitAsync(new Change("Retrying", owner, request), lifecycle.RetryAsync, cancellationToken);

    private async Task<LifecycleResult?> WaitAsync(Change change, Work work, CancellationToken cancellationToken)
    {
        var result = Join(change, work);
        try
        {
            return await result.WaitAsync(options.Value.ChangeAnswer, time, cancellationToken);
        }
        catch (TimeoutException) when (!result.IsCompleted)
        {
            return null;
        }
    }

    /// <summary>Begins the change, unless it is under way: then whoever repeats the call waits with the first, and not in the database.</summary>
    private Task<LifecycleResult> Join(Change change, Work work)
    {
        lock (_lock)
        {
            if (!_underWay.TryGetValue(change, out var result))
                _underWay[change] = result = Task.Run(() => CarryThroughAsync(change, work), CancellationToken.None);
            return result;
        }
    }

    private async Task<LifecycleResult> CarryThroughAsync(Change change, Work work)
    {
        using var scope = logger.BeginRequest(change.Request);
        using var limit = new CancellationTokenSource(options.Value.Change, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stop.Token);
        try
        {
            return await work(change.Owner, change.Request, either.Token);
        }
        catch (Exception e)
        {
            // Here, because nobody may be left to hear of it.
            LogGivenUp(e, change.Verb, change.Request);
            throw;
        }
        finally
        {
            lock (_lock) _underWay.Remove(change);
        }
    }

    /// <summary>Gives up what is under way: it is undone, as if it had not been asked for.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Task[] underWay;
        lock (_lock) underWay = [.. _underWay.Values];
        await Task.WhenAll(underWay).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private delegate Task<LifecycleResult> Work(OwnerId owner, RequestId request, CancellationToken cancellationToken);

    private readonly record struct Change(string Verb, OwnerId Owner, RequestId Request);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Verb} request {Request} was given up")]
    private partial void LogGivenUp(Exception exception, string verb, RequestId request);
}
