using System.Reflection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Darkroom.Data;

/// <summary>
/// Upgrades a database to the schema of this build: runs the numbered scripts in <c>Migrations</c> that have not been applied
/// yet, in order, each in its own transaction. Safe to run from any number of processes at once.
/// </summary>
public sealed partial class SchemaMigrator(NpgsqlDataSource database, ILogger<SchemaMigrator> logger)
{
    // Any constant will do, as long as no other advisory lock in the database uses it.
    internal const long MigrationLock = 0x4461726b726f6f6d;

    // The migrations were squashed before the first release; only databases from before that have a script of this name.
    private const string PreReleaseScript = "0010_studio_sessions.sql";

    private const string TooOld =
        "This database was created by a pre-release build and cannot be upgraded. Use an empty database; in development, delete the data folder (.data).";

    /// <exception cref="InvalidOperationException">The database was created by a pre-release build.</exception>
    public async Task MigrateAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.Sql("select pg_advisory_lock(@lock)").With("lock", MigrationLock).WithoutTimeout().ExecuteNonQueryAsync(cancellationToken);
        try
        {
            await connection.Sql(
                """
                create table if not exists schema_migrations (
                  number      int primary key,
                  name        text not null,
                  applied_at  timestamptz not null default now()
                )
                """).ExecuteNonQueryAsync(cancellationToken);
            var applied = await ReadAppliedAsync(connection, cancellationToken);
            if (applied.ContainsValue(PreReleaseScript))
                throw new InvalidOperationException(TooOld);
            foreach (var script in Scripts().Where(s => !applied.ContainsKey(s.Number)))
                await ApplyAsync(connection, script, cancellationToken);
        }
        finally
        {
            await connection.Sql("select pg_advisory_unlock(@lock)").With("lock", MigrationLock)
                .ExecuteNonQueryAsync(CancellationToken.None);
        }

        // Connections opened earlier do not know types that a migration has just created (status_enum).
        await connection.ReloadTypesAsync(cancellationToken);
    }

    private static async Task<Dictionary<int, string>> ReadAppliedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var applied = new Dictionary<int, string>();
        await using var reader = await connection.Sql("select number, name from schema_migrations").ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            applied.Add(reader.GetInt32(0), reader.GetString(1));
        return applied;
    }

    private async Task ApplyAsync(NpgsqlConnection connection, Script script, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.Sql(script.Text).WithoutTimeout().ExecuteNonQueryAsync(cancellationToken);
        await connection.Sql("insert into schema_migrations (number, name) values (@number, @name)")
            .With("number", script.Number)
            .With("name", script.Name)
            .ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        LogApplied(script.Name);
    }

    private static IEnumerable<Script> Scripts()
    {
        var assembly = typeof(SchemaMigrator).Assembly;
        const string prefix = "Darkroom.Data.Migrations.";
        return assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal) && name.EndsWith(".sql", StringComparison.Ordinal))
            .Select(name => Script.Read(assembly, name, name[prefix.Length..]))
            .OrderBy(script => script.Number);
    }

    private sealed record Script(int Number, string Name, string Text)
    {
        public static Script Read(Assembly assembly, string resource, string name)
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            return new Script(int.Parse(name[..4], System.Globalization.CultureInfo.InvariantCulture), name, reader.ReadToEnd());
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Applied schema migration {Script}")]
    private partial void LogApplied(string script);
}
