using System.Reflection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Darkroom.Data;

/// <summary>
/// Brings a database to the schema that this build was written for: runs the numbered scripts in <c>Migrations</c> that it has
/// not yet seen, in order, each in one transaction. Safe to call from any number of processes at once.
/// </summary>
public sealed partial class SchemaMigrator(NpgsqlDataSource database, ILogger<SchemaMigrator> logger)
{
    // Any constant does; it only has to differ from other advisory locks in the same database.
    internal const long MigrationLock = 0x4461726b726f6f6d;

    // The scripts were rewritten once, before the first release; until then there was one of this name.
    private const string BeforeTheSquash = "0010_studio_sessions.sql";

    private const string TooOld =
        "This database was made by a build from before the first release, and cannot be brought up to date. Use an empty database; in development, delete the data folder (.data).";

    /// <exception cref="InvalidOperationException">The database is of before the first release.</exception>
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
            if (applied.ContainsValue(BeforeTheSquash)) throw new InvalidOperationException(TooOld);
            foreach (var script in Scripts().Where(s => !applied.ContainsKey(s.Number)))
                await ApplyAsync(connection, script, cancellationToken);
        }
        finally
        {
            await connection.Sql("select pg_advisory_unlock(@lock)").With("lock", MigrationLock)
                .ExecuteNonQueryAsync(CancellationToken.None);
        }

        // Types created a moment ago (status_enum) are unknown to connections that were opened before.
        await connection.ReloadTypesAsync(cancellationToken);
    }

    private static async Task<Dictionary<int, string>> ReadAppliedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var applied = new Dictionary<int, string>();
        await using var reader = await connection.Sql("select number, name from schema_migrations").ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) applied.Add(reader.GetInt32(0), reader.GetString(1));
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
