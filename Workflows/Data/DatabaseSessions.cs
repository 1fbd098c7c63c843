using System.Globalization;
using Npgsql;

namespace Darkroom.Data;

/// <summary>Server settings that every Darkroom session uses.</summary>
public static class DatabaseSessions
{
    private const int IdleSeconds = 30;

    /// <summary>
    /// Makes the server end sessions that sit idle inside a transaction. A frozen process (a suspended VM, a paused container) still
    /// looks alive to the network and would otherwise hold its locks until it resumes.
    /// </summary>
    /// <remarks>Set as a connection option rather than by SET, which is reset when the connection returns to the pool.</remarks>
    public static void LimitIdleTransactions(NpgsqlDataSourceBuilder database)
    {
        var limit = string.Create(CultureInfo.InvariantCulture, $"-c idle_in_transaction_session_timeout={IdleSeconds}s");
        var existing = database.ConnectionStringBuilder.Options;
        database.ConnectionStringBuilder.Options = existing is null ? limit : $"{limit} {existing}";
    }
}
