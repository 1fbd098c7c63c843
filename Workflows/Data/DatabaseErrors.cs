using System.Net.Sockets;
using Npgsql;

namespace Darkroom.Data;

/// <summary>Classifies exceptions from database calls by what the caller can do about them.</summary>
public static class DatabaseErrors
{
    /// <summary>
    /// True if the server is starting, stopping, full or unreachable, or if a race was lost: a retry may succeed. A commit that
    /// failed this way may still have gone through, so check before repeating it.
    /// </summary>
    /// <remarks>
    /// For code that calls only the database: network errors that Npgsql did not wrap cannot be told from anyone else's. Code that
    /// also calls other services should pass only an <see cref="NpgsqlException"/>.
    /// </remarks>
    public static bool IsTransient(Exception exception) => exception switch
    {
        PostgresException e => e.IsTransient || e.SqlState is
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
            or PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.TooManyConnections
            or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected || e.SqlState.StartsWith("08", StringComparison.Ordinal),
        // No answer from the server: the connection failed, or the DNS lookup, which Npgsql does not wrap.
        NpgsqlException or IOException or SocketException or TimeoutException => true,
        _ => false,
    };

    /// <summary>
    /// The server rejected the data itself: data exceptions, constraint violations, exceeded limits. A retry cannot succeed.
    /// </summary>
    public static bool IsDataError(Exception exception) => exception switch
    {
        PostgresException e => e.SqlState[..2] is "22" or "23" or "54",
        ArgumentException or InvalidCastException or OverflowException => true,
        _ => false,
    };
}
