using System.Net.Sockets;
using Npgsql;

namespace Darkroom.Queue;

/// <summary>Sorts database errors by what can be done about them.</summary>
internal static class PostgresFaults
{
    /// <summary>The server, the connection or a rival was in the way: the same statement may succeed later.</summary>
    public static bool IsTransient(Exception exception) => exception switch
    {
        PostgresException e => e.IsTransient || e.SqlState is
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
            or PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.TooManyConnections
            or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected || e.SqlState.StartsWith("08", StringComparison.Ordinal),
        // Without an answer of the server it is the connection that failed.
        NpgsqlException or IOException or SocketException or TimeoutException => true,
        _ => false,
    };

    /// <summary>The server understood and refused what was written: data exceptions, violated constraints, exceeded limits.</summary>
    public static bool IsAboutData(Exception exception) => exception switch
    {
        PostgresException e => e.SqlState[..2] is "22" or "23" or "54",
        ArgumentException or InvalidCastException or OverflowException => true,
        _ => false,
    };
}
