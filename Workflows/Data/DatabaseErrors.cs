using System.Net.Sockets;
using Npgsql;

namespace Darkroom.Data;

/// <summary>Sorts what database calls throw by what can be done about it.</summary>
public static class DatabaseErrors
{
    /// <summary>
    /// True for a server that is starting, stopping, full or out of reach, and for lost races: the same work may succeed in a
    /// moment. The commit that failed may nevertheless have happened; whoever repeats it looks first.
    /// </summary>
    /// <remarks>
    /// For code that talks to the database alone: errors of the network that the driver did not wrap look like anybody's. Where other
    /// things are called as well, ask only about an <see cref="NpgsqlException"/>.
    /// </remarks>
    public static bool IsTransient(Exception exception) => exception switch
    {
        PostgresException e => e.IsTransient || e.SqlState is
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
            or PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.TooManyConnections
            or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected || e.SqlState.StartsWith("08", StringComparison.Ordinal),
        // Without an answer of the server it is the connection that failed, or the look-up of the server's name, which is not wrapped.
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
