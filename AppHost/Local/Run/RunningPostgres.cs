using Aspire.Hosting.ApplicationModel;
using Darkroom.AppHost.Hosting;
using Darkroom.AppHost.Local.Postgres;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Darkroom.AppHost.Local.Run;

/// <summary>The embedded database server.</summary>
internal sealed class RunningPostgres(PostgresServer server, string name) : IRunning
{
    public IEnumerable<RunningProcess> Processes => [new(name, server.ProcessId)];

    public Task<int> Exited => server.Exited;

    public static async Task<RunningPostgres> StartAsync(
        PostgresServerResource resource, DataFolder data, IConfiguration configuration, Action<string> log, CancellationToken cancellation)
    {
        var source = configuration["Postgres:Source"] is not { Length: > 0 } text ? PostgresSource.Auto
            : Enum.TryParse<PostgresSource>(text, ignoreCase: true, out var known) ? known
            : throw new SettingException($"Postgres:Source is '{text}'. It must be Auto, Installed or Npm.");
        var server = await PostgresServer.StartAsync(
            new PostgresServerOptions
            {
                Folder = data.Below(resource.Name),
                Source = source,
                Binaries = configuration["Postgres:Binaries"],
                Port = resource.Port,
                Password = data.Secrets.PostgresPassword,
                Log = line => ForwardTrouble(line, log),
            },
            cancellation);
        resource.Started.SetResult(server.ConnectionString);
        return new RunningPostgres(server, resource.Name);
    }

    public static async Task CreateAsync(PostgresDatabaseResource database, CancellationToken cancellation)
    {
        var server = await database.Parent.GetConnectionStringAsync(cancellation);
        await using var source = NpgsqlDataSource.Create(server!);
        await using var exists = source.CreateCommand("select 1 from pg_database where datname = $1");
        exists.Parameters.AddWithValue(database.DatabaseName);
        if (await exists.ExecuteScalarAsync(cancellation) is not null) return;
        var quoted = new NpgsqlCommandBuilder().QuoteIdentifier(database.DatabaseName);
        await using var create = source.CreateCommand($"create database {quoted}");
        await create.ExecuteNonQueryAsync(cancellation);
    }

    public async Task StopAsync() => await server.DisposeAsync();

    /// <summary>
    /// Its ERROR lines are answers to statements, which whoever sent the statement reports better; and it is no trouble that it
    /// turns clients away while it starts and stops.
    /// </summary>
    private static void ForwardTrouble(string line, Action<string> log)
    {
        var isLog = LogLevels.Any(level => line.Contains(level, StringComparison.Ordinal));
        var isTrouble = line.Contains("FATAL:", StringComparison.Ordinal) || line.Contains("PANIC:", StringComparison.Ordinal);
        var isPassing = line.Contains("the database system is ", StringComparison.Ordinal)
            || line.Contains("terminating connection due to administrator command", StringComparison.Ordinal);
        if (!isLog || (isTrouble && !isPassing)) log(line);
    }

    private static readonly string[] LogLevels =
        ["LOG:", "ERROR:", "STATEMENT:", "DETAIL:", "HINT:", "CONTEXT:", "WARNING:", "NOTICE:", "FATAL:", "PANIC:"];
}
