using Darkroom.Schema;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Darkroom.Tests.Infrastructure;

/// <summary>A database of its own, with the schema, on the Postgres server of this test run or a given one. Dropped at the end.</summary>
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

    /// <param name="server">Connection string of another server than the test run's.</param>
    public static async Task<TestDatabase> CreateAsync(string? server = null)
    {
        var database = await CreateAsync(server, template: "template1");
        // The test run's own server has done it already, once for all: TestPostgres.
        await new SchemaMigrator(database.DataSource, NullLogger<SchemaMigrator>.Instance).MigrateAsync(CancellationToken.None);
        return database;
    }

    /// <summary>Without the schema.</summary>
    public static Task<TestDatabase> CreateEmptyAsync() => CreateAsync(server: null, template: "template0");

    /// <summary>Ends every session that others, and <see cref="DataSource"/>, have in it.</summary>
    public async Task BreakConnectionsAsync() => await DataSource.Sql(
            """
            select pg_terminate_backend(pid)
            from pg_stat_activity
            where datname = current_database()
              and pid <> pg_backend_pid()
            """)
        .ExecuteNonQueryAsync();

    private static async Task<TestDatabase> CreateAsync(string? server, string template)
    {
        server ??= await TestPostgres.ConnectionStringAsync();
        var database = new TestDatabase(server, "t" + Guid.NewGuid().ToString("N"));
        await using var admin = NpgsqlDataSource.Create(server);
        await admin.Sql($"create database {database.Name} template {template}").ExecuteNonQueryAsync();
        return database;
    }

    public async ValueTask DisposeAsync()
    {
        await DataSource.DisposeAsync();
        await using var admin = NpgsqlDataSource.Create(_server);
        await admin.Sql($"drop database if exists {Name} with (force)").ExecuteNonQueryAsync();
    }
}
