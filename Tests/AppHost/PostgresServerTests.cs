using Darkroom.AppHost.Postgres;
using Darkroom.Tests.Infrastructure;
using Npgsql;

namespace Darkroom.Tests.AppHost;

public sealed class PostgresServerTests
{
    [Fact]
    public async Task Data_survives_a_restart_even_in_a_folder_that_other_users_cannot_enter()
    {
        using var folder = new TemporaryFolder();
        // When the tests run as root, Postgres runs as a user who cannot enter this folder.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var options = Options(folder);
        string home;
        await using (var server = await PostgresServer.StartAsync(options))
        {
            home = server.Home;
            await ExecuteAsync(server, "create table kept (word text); insert into kept values ('here')");
        }

        await using (var server = await PostgresServer.StartAsync(options))
        {
            Assert.Equal("here", await ExecuteAsync(server, "select word from kept"));
            Assert.Equal(home, server.Home);
        }

        Directory.Delete(home, recursive: true);
    }

    [Fact]
    public async Task Deleting_the_folder_starts_over()
    {
        using var folder = new TemporaryFolder();
        await using (var server = await PostgresServer.StartAsync(Options(folder)))
            await ExecuteAsync(server, "create table kept (word text)");
        Directory.Delete(folder.Path, recursive: true);

        await using (var server = await PostgresServer.StartAsync(Options(folder)))
        {
            Assert.Equal(DBNull.Value, await ExecuteAsync(server, "select to_regclass('kept')::text"));
            Assert.StartsWith(Path.GetTempPath(), server.Home, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Postgres_from_npm_runs_without_an_installed_one()
    {
        using var folder = new TemporaryFolder();
        await using var server = await PostgresServer.StartAsync(
            Options(folder) with { Source = PostgresSource.Npm });

        Assert.Equal(18, server.Version);
        Assert.Equal(1, await ExecuteAsync(server, "select 1"));
    }

    private static PostgresClusterOptions Options(TemporaryFolder folder) =>
        new() { Folder = Path.Combine(folder.Path, "postgres"), Password = "of the test", Durable = false };

    private static async Task<object?> ExecuteAsync(PostgresServer server, string sql)
    {
        await using var connection = new NpgsqlConnection(server.ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
