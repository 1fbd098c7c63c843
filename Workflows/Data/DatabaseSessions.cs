using System.Globalization;
using Npgsql;

namespace Darkroom.Data;

/// <summary>Settings that every Darkroom session with the database uses.</summary>
public static class DatabaseSessions
{
    private const int IdleSeconds = 30;
    private const int ProbeSeconds = 10;
    private const int Probes = 3;

    /// <summary>More than any process has.</summary>
    private const int MaxPreparedStatements = 200;

    /// <summary>
    /// Names the sessions after the program and its process, so that <c>pg_stat_activity</c> tells whose they are, and ends those whose other end is
    /// gone or frozen, on both sides.
    /// <para>
    /// The server ends those that sit idle inside a transaction: a frozen process (a suspended VM, a paused container) still looks alive to
    /// the network and would otherwise hold its locks until it resumes.
    /// </para>
    /// <para>
    /// Both sides probe a silent connection, and drop it when nobody answers, a minute after a host or a firewall between them has forgotten
    /// it without a word (on the client's side the number of probes is the system's). By default the server would keep its advisory locks
    /// for two hours, and the client would wait for an answer for ever.
    /// </para>
    /// <para>
    /// Sessions return to the pool as they are: resetting them took Postgres as long as a tenth of all statements. Whoever changes the state of a
    /// session (an advisory lock, LISTEN) changes it back; transactions that are open are rolled back anyway.
    /// </para>
    /// <para>
    /// A statement that a session has used a few times is prepared: to plan it again each time took Postgres 40 % of the time of all statements.
    /// </para>
    /// </summary>
    public static void Configure(NpgsqlDataSourceBuilder database)
    {
        var connection = database.ConnectionStringBuilder;
        connection.ApplicationName ??= string.Create(CultureInfo.InvariantCulture, $"{AppDomain.CurrentDomain.FriendlyName} {Environment.ProcessId}");
        var limits = string.Create(
            CultureInfo.InvariantCulture,
            $"-c idle_in_transaction_session_timeout={IdleSeconds}s -c tcp_keepalives_idle={IdleSeconds} -c tcp_keepalives_interval={ProbeSeconds} -c tcp_keepalives_count={Probes}");
        connection.Options = connection.Options is { } existing ? $"{limits} {existing}" : limits;
        connection.NoResetOnClose = true;
        connection.MaxAutoPrepare = MaxPreparedStatements;
        connection.TcpKeepAlive = true;
        connection.TcpKeepAliveTime = IdleSeconds;
        connection.TcpKeepAliveInterval = ProbeSeconds;
    }
}
