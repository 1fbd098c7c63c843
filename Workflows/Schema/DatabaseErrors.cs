using Npgsql;

namespace Darkroom.Schema;

/// <summary>Which failures of the database pass by themselves.</summary>
public static class DatabaseErrors
{
    /// <summary>
    /// True for a server that is starting, stopping or out of reach, and for lost races: the same work may succeed in a
    /// moment. The commit that failed may nevertheless have happened; whoever repeats it looks first.
    /// </summary>
    public static bool IsTransient(Exception exception) => exception switch
    {
        PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown } => true,
        NpgsqlException database => database.IsTransient,
        _ => false,
    };
}
