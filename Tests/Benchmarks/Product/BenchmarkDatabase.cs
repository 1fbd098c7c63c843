using Darkroom.AppHost.Postgres;
using Darkroom.Data;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Darkroom.Benchmarks.Product;

/// <summary>
/// An empty database of the product, on the server that DARKROOM_BENCH_POSTGRES names or on one of its own, that is gone in the end.
/// </summary>
internal sealed class BenchmarkDatabase : IAsyncDisposable
{
    private readonly string _server;
    private readonly PostgresServer? _own;
    private readonly DirectoryInfo _folder;
    private readonly string _name = "bench" + Guid.NewGuid().ToString("N");

    private BenchmarkDatabase(string server, PostgresServer? own, DirectoryInfo folder)
    {
        (_server, _own, _folder) = (server, own, folder);
        Source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server) { Database = _name, CommandTimeout = 600 }.ConnectionString);
    }

    public NpgsqlDataSource Source { get; }

    public static async Task<BenchmarkDatabase> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("darkroom-bench-");
        var external = Environment.GetEnvironmentVariable("DARKROOM_BENCH_POSTGRES");
        var own = string.IsNullOrEmpty(external)
            ? await PostgresServer.StartAsync(
                new PostgresClusterOptions { Folder = Path.Combine(folder.FullName, "postgres"), Password = Guid.NewGuid().ToString("N") })
            : null;
        var database = new BenchmarkDatabase(own?.ConnectionString ?? external!, own, folder);
        await database.ExecuteAsync($"create database {database._name}");
        await new SchemaMigrator(database.Source, NullLogger<SchemaMigrator>.Instance).MigrateAsync(CancellationToken.None);
        return database;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var admin = NpgsqlDataSource.Create(_server);
        await admin.Sql(sql).ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await ExecuteAsync($"drop database if exists {_name} with (force)");
        if (_own is not null)
        {
            await _own.DisposeAsync();
            if (Directory.Exists(_own.Home))
                Directory.Delete(_own.Home, recursive: true);
        }

        _folder.Delete(recursive: true);
    }
}
