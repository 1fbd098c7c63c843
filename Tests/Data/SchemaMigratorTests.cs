using Darkroom.Data;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Darkroom.Tests.Data;

public sealed class SchemaMigratorTests
{
    [Fact]
    public async Task Migrating_from_many_processes_at_once_applies_each_script_once()
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        var migrations = Enumerable.Range(0, 4)
            .Select(_ => new SchemaMigrator(database.DataSource, NullLogger<SchemaMigrator>.Instance).MigrateAsync(default));
        await Task.WhenAll(migrations);

        var scripts = typeof(SchemaMigrator).Assembly.GetManifestResourceNames().Count(name => name.EndsWith(".sql", StringComparison.Ordinal));
        Assert.Equal((long)scripts, await database.DataSource.Sql("select count(*) from schema_migrations").ExecuteScalarAsync());
    }

    [Fact]
    public async Task A_migration_waits_for_another_process_without_a_timeout()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var other = await database.DataSource.OpenConnectionAsync();
        await using var hasty = NpgsqlDataSource.Create(database.ConnectionString + ";Command Timeout=1");
        await other.Sql("select pg_advisory_lock(@lock)").With("lock", SchemaMigrator.MigrationLock).ExecuteNonQueryAsync();

        var migration = new SchemaMigrator(hasty, NullLogger<SchemaMigrator>.Instance).MigrateAsync(default);
        // Longer than this data source's command timeout.
        await other.Sql("select pg_sleep(1.5)").ExecuteNonQueryAsync();
        Assert.False(migration.IsCompleted);
        await other.Sql("select pg_advisory_unlock_all()").ExecuteNonQueryAsync();

        await migration;
    }
}
