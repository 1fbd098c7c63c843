using System.Globalization;
using Npgsql;

namespace Darkroom.Data;

/// <summary>What the product's sessions ask of the server.</summary>
public static class DatabaseSessions
{
    private const int IdleSeconds = 30;

    /// <summary>
    /// Lets the server end a session that stands still inside a transaction. A process that is frozen there (a paused machine, a
    /// stopped container) is alive to the network and would keep its locks from everybody else for as long as it is frozen.
    /// </summary>
    /// <remarks>As an option of the connection and not by SET: returning a connection to the pool resets what was set.</remarks>
    public static void LimitIdleTransactions(NpgsqlDataSourceBuilder database)
    {
        var limit = string.Create(CultureInfo.InvariantCulture, $"-c idle_in_transaction_session_timeout={IdleSeconds}s");
        var given = database.ConnectionStringBuilder.Options;
        database.ConnectionStringBuilder.Options = given is null ? limit : $"{limit} {given}";
    }
}
