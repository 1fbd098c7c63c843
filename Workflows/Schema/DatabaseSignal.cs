using Microsoft.Extensions.Logging;
using Npgsql;

namespace Darkroom.Schema;

/// <summary>
/// Wakes a loop when Postgres notifies a channel, and every so often in any case: a notification is a hint that may be lost
/// with its connection, so whoever waits must look for itself after each wake-up.
/// </summary>
public sealed partial class DatabaseSignal(
    NpgsqlDataSource database, string channel, TimeSpan poll, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private Task _listening = Task.CompletedTask;

    public void Start() => _listening = Task.Run(() => ListenAsync(_stop.Token));

    /// <summary>Returns at the next notification or after the poll interval, whichever comes first. Several notifications may wake it once.</summary>
    public async Task WaitAsync(CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var notified = _signal.WaitAsync(either.Token);
        await Task.WhenAny(notified, Task.Delay(poll, time, either.Token));
        await either.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>Wakes the waiting loop from within this process.</summary>
    public void Set()
    {
        try
        {
            _signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is already awake: one wake-up serves all.
        }
    }

    private async Task ListenAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(stopping);
                connection.Notification += (_, _) => Set();
                await connection.Sql($"listen {channel}").ExecuteNonQueryAsync(stopping);
                // What was notified while nobody listened is found by looking.
                Set();
                while (true) await connection.WaitAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or IOException or InvalidOperationException)
            {
                LogListeningFailed(e, channel);
                await Task.Delay(poll, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _listening;
        _stop.Dispose();
        _signal.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Listening on {Channel} failed; polling until it works again")]
    private partial void LogListeningFailed(Exception exception, string channel);
}
