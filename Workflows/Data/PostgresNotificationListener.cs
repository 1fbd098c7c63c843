using Microsoft.Extensions.Logging;
using Npgsql;

namespace Darkroom.Data;

/// <summary>
/// Wakes a loop when Postgres notifies a channel, and also at a regular interval: a notification can be lost with its
/// connection, so treat it as a hint and check for work after every wake-up.
/// </summary>
public sealed partial class PostgresNotificationListener(
    NpgsqlDataSource database, string channel, TimeSpan poll, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    /// <summary>
    /// Delay between attempts to listen. Short, so that after a server restart listening resumes before most polls are due.
    /// </summary>
    private static readonly TimeSpan Reconnect = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a silent connection is trusted. Then it is tried out: a server that has vanished without a word would otherwise be listened to
    /// for ever.
    /// </summary>
    internal TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(30);

    private readonly AsyncAutoResetEvent _signal = new(time);
    private readonly CancellationTokenSource _stop = new();
    private Task _listening = Task.CompletedTask;

    /// <summary>
    /// Called with the payload of each notification, before the loop is woken. Runs on the listening connection, so it must be quick.
    /// </summary>
    public Action<string>? OnNotification { get; init; }

    public void Start() => _listening = Task.Run(() => ListenAsync(_stop.Token));

    /// <summary>
    /// Returns at the next notification or after the poll interval, whichever comes first. Several notifications may cause a single
    /// wake-up.
    /// </summary>
    public Task WaitAsync(CancellationToken cancellationToken) => WaitAsync(poll, cancellationToken);

    /// <summary>The same with another interval, for a loop that knows when its next work is due.</summary>
    public Task WaitAsync(TimeSpan timeout, CancellationToken cancellationToken) => _signal.WaitAsync(timeout, cancellationToken);

    /// <summary>Wakes the waiting loop from within this process.</summary>
    public void Set() => _signal.Set();

    private async Task ListenAsync(CancellationToken stopping)
    {
        var isListening = true;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(stopping);
                connection.Notification += (_, notification) =>
                {
                    OnNotification?.Invoke(notification.Payload);
                    Set();
                };
                await connection.Sql($"listen {channel}").ExecuteNonQueryAsync(stopping);
                if (!isListening)
                    LogListeningAgain(channel);
                isListening = true;
                // Notifications sent while we were not listening are lost: have the loop check for work.
                Set();
                try
                {
                    while (true)
                        if (!await connection.WaitAsync(Silence, stopping))
                            await connection.Sql("select").ExecuteNonQueryAsync(stopping);
                }
                finally
                {
                    if (stopping.IsCancellationRequested)
                        await connection.Sql("unlisten *").ExecuteNonQueryAsync(CancellationToken.None);
                }
            }
            catch (Exception) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                if (isListening)
                    LogListeningFailed(e, channel);
                isListening = false;
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
