using System.Globalization;
using Darkroom.AppHost.Postgres;
using Darkroom.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Darkroom.Tests.Infrastructure;

/// <summary>The one Postgres server of a test run: a given one (<c>DARKROOM_TEST_POSTGRES</c>, a connection string), else one that the run starts.</summary>
internal static class TestPostgres
{
    private const string Prefix = "darkroom-tests-";

    private static readonly Lazy<Task<string>> Server = new(StartAsync);

    /// <summary>On the server that the run starts: a database with the schema, to copy.</summary>
    public const string Template = "migrated";

    private static string? Given => Environment.GetEnvironmentVariable("DARKROOM_TEST_POSTGRES") is { Length: > 0 } given ? given : null;

    public static bool IsGiven => Given is not null;

    public static Task<string> ConnectionStringAsync() => Given is { } given ? Task.FromResult(given) : Server.Value;

    private static async Task<string> StartAsync()
    {
        RemoveFoldersOfDeadRuns();
        var folder = Path.Combine(Path.GetTempPath(), Prefix + Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        var server = await PostgresServer.StartAsync(
            new PostgresClusterOptions
            {
                Folder = folder,
                Password = Guid.NewGuid().ToString("N"),
                MaxConnections = 400,
                Durable = false,
            },
            // Not stopped at the end of the run: a test host is killed a moment after its last test.
            leaveNothing: true);
        await CreateTemplateAsync(server.ConnectionString);
        return server.ConnectionString;
    }

    private static async Task CreateTemplateAsync(string server)
    {
        await using (var admin = NpgsqlDataSource.Create(server)) await admin.Sql($"create database {Template}").ExecuteNonQueryAsync();
        // A database can be copied only while nobody is connected to it.
        var template = new NpgsqlConnectionStringBuilder(server) { Database = Template, Pooling = false };
        await using var source = NpgsqlDataSource.Create(template);
        await new SchemaMigrator(source, NullLogger<SchemaMigrator>.Instance).MigrateAsync(CancellationToken.None);
    }

    private static void RemoveFoldersOfDeadRuns()
    {
        foreach (var folder in Directory.EnumerateDirectories(Path.GetTempPath(), Prefix + "*"))
        {
            if (!int.TryParse(Path.GetFileName(folder)[Prefix.Length..], CultureInfo.InvariantCulture, out var pid)) continue;
            try
            {
                using var alive = System.Diagnostics.Process.GetProcessById(pid);
            }
            catch (ArgumentException)
            {
                Remove(folder);
            }
        }
    }

    private static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another user's, or another run's that removes it too.
        }
    }
}
