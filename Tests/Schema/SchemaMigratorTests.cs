using Darkroom.Schema;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;

namespace Darkroom.Tests.Schema;

public sealed class SchemaMigratorTests
{
    [Fact]
    public async Task Migrating_from_many_processes_at_once_applies_each_script_once()
    {
        await using var database = await TestDatabase.CreateAsync();
        var migrations = Enumerable.Range(0, 4)
            .Select(_ => new SchemaMigrator(database.DataSource, NullLogger<SchemaMigrator>.Instance).MigrateAsync(default));
        await Task.WhenAll(migrations);

        var scripts = typeof(SchemaMigrator).Assembly.GetManifestResourceNames().Count(name => name.EndsWith(".sql", StringComparison.Ordinal));
        Assert.Equal((long)scripts, await database.DataSource.Sql("select count(*) from schema_migrations").ExecuteScalarAsync());
    }
}
