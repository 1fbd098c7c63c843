using Microsoft.Extensions.Logging;
using Npgsql;

namespace Darkroom.Data;

/// <summary>
/// Wakes a loop when Postgres notifies a channel, and every so often in any case: a notification is a hint that may be lost
/// with its connection, so whoever waits must look for itself after each wake-up.
/// </summary>
public sealed partial class PostgresNotificationListener(
    NpgsqlDataSource database, string channel, TimeSpan poll, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    /// <summary>Between two tries to listen. A server that just restarted is heard again before most polls.</summary>
    private static readonly TimeSpan Reconnect = TimeSpan.FromSeconds(1);

    private readonly AsyncAutoResetEvent _signal = new(time);
    private readonly CancellationTokenSource _stop = new();
    private Task _listening = Task.CompletedTask;

    /// <summary>Sees the payload of each notification before the loop is woken. It is called while listening and must be quick.</summary>
    public Action<string>? Heard { get; init; }

    public void Start() => _listening = Task.Run(() => ListenAsync(_stop.Token));

    /// <summary>Returns at the next notification or after the poll interval, whichever comes first. Several notifications may wake it once.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => WaitAsync(poll, cancellationToken);

    /// <summary>The same with another interval, for a loop that knows when it has to look next.</summary>
    public Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken) => _signal.WaitAsync(atMost, cancellationToken);

    /// <summary>Wakes the waiting loop from within this process.</summary>
    public void Set() => _signal.Set();

    private async Task ListenAsync(CancellationToken stopping)
    {
        var listens = true;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(stopping);
                connection.Notification += (_, notification) =>
                {
                    Heard?.Invoke(notification.Payload);
                    Set();
                };
                await connection.Sql($"listen {channel}").ExecuteNonQueryAsync(stopping);
                if (!listens) LogListeningAgain(channel);
                listens = true;
                // What was notified while nobody listened is found by looking.
                Set();
                while (true) await connection.WaitAsync(stopping);
            }
            catch (Exception) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                if (listens) LogListeningFailed(e, channel);
                listens = false;
                await Task.Delay(Reconnect, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _listening;
        _stop.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Listening on {Channel} failed; polling until it works again")]
    private partial void LogListeningFailed(Exception exception, string channel);

    [LoggerMessage(Level = LogLevel.Information, Message = "Listening on {Channel} again")]
    private partial void LogListeningAgain(string channel);
}
