using Npgsql;

namespace Darkroom.Data;

/// <summary>What a process does with the database at its start, repeated while the database is not up yet.</summary>
internal static class DatabaseWait
{
    /// <summary>How long a process waits for the database before it gives up.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    /// <param name="start">The work; it must be safe to repeat.</param>
    /// <param name="time">The clock.</param>
    /// <param name="waiting">Told the reason before each repetition.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task RunAsync(
        Func<CancellationToken, Task> start, TimeProvider time, Action<string> waiting, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                await start(cancellationToken);
                return;
            }
            catch (Exception e) when (IsOutage(e) && time.GetElapsedTime(started) < Timeout)
            {
                waiting(e.GetBaseException().Message);
                await Task.Delay(RetryDelay, time, cancellationToken);
            }
        }
    }

    /// <summary>Libraries that call the database for us wrap its errors in their own.</summary>
    private static bool IsOutage(Exception e) =>
        DatabaseErrors.IsTransient(e) || (e.InnerException is NpgsqlException inner && DatabaseErrors.IsTransient(inner));
}
