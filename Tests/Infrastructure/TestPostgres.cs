using System.Globalization;
using Darkroom.AppHost.Postgres;
using Darkroom.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Darkroom.Tests.Infrastructure;

/// <summary>The Postgres server of the test run: the one in <c>DARKROOM_TEST_POSTGRES</c> (a connection string), otherwise one that the run starts.</summary>
internal static class TestPostgres
{
    private const string Prefix = "darkroom-tests-";

    private static readonly Lazy<Task<string>> Server = new(StartAsync);

    /// <summary>A database with the schema, used as the template for copies. Exists only on a server that the run starts.</summary>
    public const string Template = "migrated";

    private static string? ExternalServer => Environment.GetEnvironmentVariable("DARKROOM_TEST_POSTGRES") is { Length: > 0 } external ? external : null;

    public static bool IsExternal => ExternalServer is not null;

    public static Task<string> ConnectionStringAsync() => ExternalServer is { } external ? Task.FromResult(external) : Server.Value;

    private static async Task<string> StartAsync()
    {
        DeleteFoldersOfDeadRuns();
        var folder = Path.Combine(ServerData.Root, Prefix + Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        var server = await PostgresServer.StartAsync(
            new PostgresClusterOptions
            {
                Folder = folder,
                Password = Guid.NewGuid().ToString("N"),
                MaxConnections = 400,
                Durable = false,
            },
            // The server is not stopped explicitly: the test host is killed right after its last test.
            deleteFoldersOnExit: true);
        await CreateTemplateAsync(server.ConnectionString);
        return server.ConnectionString;
    }

    private static async Task CreateTemplateAsync(string server)
    {
        await using (var admin = NpgsqlDataSource.Create(server))
            await admin.Sql($"create database {Template}").ExecuteNonQueryAsync();
        // Without pooling, because a database can be copied only while nobody is connected to it.
        var template = new NpgsqlConnectionStringBuilder(server) { Database = Template, Pooling = false };
        await using var source = NpgsqlDataSource.Create(template);
        await new SchemaMigrator(source, NullLogger<SchemaMigrator>.Instance).MigrateAsync(CancellationToken.None);
    }

    private static void DeleteFoldersOfDeadRuns()
    {
        foreach (var folder in Directory.EnumerateDirectories(ServerData.Root, Prefix + "*"))
        {
            if (!int.TryParse(Path.GetFileName(folder)[Prefix.Length..], CultureInfo.InvariantCulture, out var pid))
                continue;
            try
            {
                using var alive = System.Diagnostics.Process.GetProcessById(pid);
            }
            catch (ArgumentException)
            {
                TryDelete(folder);
            }
        }
    }

    private static void TryDelete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It belongs to another user, or another run is deleting it as well.
        }
    }
}
