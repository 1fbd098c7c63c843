using Darkroom.Schema;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Darkroom.Queue;

/// <summary>Hears a NOTIFY channel over a connection of its own, and opens that again whenever it breaks.</summary>
internal sealed partial class NotificationListener(NpgsqlDataSource database, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Calls <paramref name="heard"/> for each notification, and once after each connect, for what was missed before.</summary>
    public async Task ListenAsync(string channel, Action heard, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(stopping);
                connection.Notification += (_, _) => heard();
                await connection.Sql($"listen {channel}").ExecuteNonQueryAsync(stopping);
                heard();
                while (true) await connection.WaitAsync(stopping);
            }
            catch (Exception e) when (PostgresFaults.IsTransient(e) && !stopping.IsCancellationRequested)
            {
                LogBroken(channel, e);
                await Task.Delay(Pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The connection that listens to {Channel} broke; opening it again")]
    private partial void LogBroken(string channel, Exception exception);
}
