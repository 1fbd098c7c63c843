using Darkroom.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Darkroom.Tests.Infrastructure;

/// <summary>A separate database with the schema, on the Postgres server of the test run or another one. Dropped when disposed.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly string _server;

    private TestDatabase(string server, string name)
    {
        _server = server;
        Name = name;
        ConnectionString = new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString;
        DataSource = NpgsqlDataSource.Create(ConnectionString);
    }

    public string Name { get; }
    public string ConnectionString { get; }
    public NpgsqlDataSource DataSource { get; }

    /// <param name="server">Connection string of a server other than the test run's.</param>
    public static async Task<TestDatabase> CreateAsync(string? server = null)
    {
        if (server is null && !TestPostgres.IsExternal)
            return await CopyAsync(await TestPostgres.ConnectionStringAsync(), TestPostgres.Template);
        var database = await CopyAsync(server ?? await TestPostgres.ConnectionStringAsync(), "template0");
        await new SchemaMigrator(database.DataSource, NullLogger<SchemaMigrator>.Instance).MigrateAsync(CancellationToken.None);
        return database;
    }

    /// <summary>Creates a database without the schema.</summary>
    public static async Task<TestDatabase> CreateEmptyAsync() => await CopyAsync(await TestPostgres.ConnectionStringAsync(), "template0");

    /// <summary>Terminates all other sessions in the database, including those of <see cref="DataSource"/>.</summary>
    public async Task BreakConnectionsAsync() => await DataSource.Sql(
            """
            select pg_terminate_backend(pid)
            from pg_stat_activity
            where datname = current_database()
              and pid <> pg_backend_pid()
            """)
        .ExecuteNonQueryAsync();

    /// <summary>Rows of a table, and entries of its indexes, that all sessions so far have read. Closes those of <see cref="DataSource"/>.</summary>
    public async Task<long> RowsReadAsync(string table)
    {
        // Sessions report what they have read when they end, at the latest.
        DataSource.Clear();
        await Eventually.TrueAsync(async () => (bool)(await DataSource.Sql(
                """
                select not exists (
                  select
                  from pg_stat_activity
                  where datname = current_database()
                    and pid <> pg_backend_pid()
                    and backend_type = 'client backend')
                """)
            .ExecuteScalarAsync())!);
        return (long)(await DataSource.Sql(
                """
                select (t.seq_tup_read + (select sum(idx_tup_read) from pg_stat_user_indexes where relid = t.relid))::bigint
                from pg_stat_user_tables t
                where t.relname = @table
                """)
            .With("table", table)
            .ExecuteScalarAsync())!;
    }

    private static async Task<TestDatabase> CopyAsync(string server, string template)
    {
        var database = new TestDatabase(server, "t" + Guid.NewGuid().ToString("N"));
        await ExecuteAsync(server, postgres => $"create database {database.Name} template {template}{CopyStrategy(postgres)}");
        return database;
    }

    // In memory, copying files is faster than copying pages through the WAL; on a disk it is slower.
    private static string CopyStrategy(Version postgres) => ServerData.IsInMemory && postgres.Major >= 15 ? " strategy file_copy" : "";

    // On a pooled connection, because opening a new one costs as much as creating the database.
    private static async Task ExecuteAsync(string server, Func<Version, string> sql)
    {
        await using var connection = new NpgsqlConnection(server);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql(connection.PostgreSqlVersion), connection);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await DataSource.DisposeAsync();
        await ExecuteAsync(_server, _ => $"drop database if exists {Name} with (force)");
    }
}
