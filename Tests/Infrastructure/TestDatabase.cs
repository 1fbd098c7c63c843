using Darkroom.Schema;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Darkroom.Tests.Infrastructure;

/// <summary>A database of its own, with the schema, on the Postgres server that this test run started. Dropped at the end.</summary>
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

    public static async Task<TestDatabase> CreateAsync()
    {
        var server = await TestPostgres.ConnectionStringAsync();
        var database = new TestDatabase(server, "t" + Guid.NewGuid().ToString("N"));
        await using (var admin = NpgsqlDataSource.Create(server))
            await admin.Sql($"create database {database.Name}").ExecuteNonQueryAsync();
        await new SchemaMigrator(database.DataSource, NullLogger<SchemaMigrator>.Instance).MigrateAsync(CancellationToken.None);
        return database;
    }

    public async ValueTask DisposeAsync()
    {
        await DataSource.DisposeAsync();
        await using var admin = NpgsqlDataSource.Create(_server);
        await admin.Sql($"drop database if exists {Name} with (force)").ExecuteNonQueryAsync();
    }
}
