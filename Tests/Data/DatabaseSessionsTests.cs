using Darkroom.Data;
using Darkroom.Tests.Infrastructure;
using Npgsql;

namespace Darkroom.Tests.Data;

public sealed class DatabaseSessionsTests
{
    [Theory]
    [InlineData("", "on")]
    [InlineData(";Options=-c enable_seqscan=off", "off")]
    public async Task Idle_transactions_time_out_and_other_options_are_kept(string options, string seqscan)
    {
        await using var database = await TestDatabase.CreateAsync();
        var builder = new NpgsqlDataSourceBuilder(database.ConnectionString + options);
        DatabaseSessions.Configure(builder);
        await using var source = builder.Build();

        for (var use = 0; use < 2; use++)
            Assert.Equal("30s", await source.Sql("show idle_in_transaction_session_timeout").ExecuteScalarAsync());
        Assert.EndsWith($" {Environment.ProcessId}", (string?)await source.Sql("show application_name").ExecuteScalarAsync(), StringComparison.Ordinal);
        Assert.Equal(seqscan, await source.Sql("show enable_seqscan").ExecuteScalarAsync());
    }

    [Fact]
    public async Task A_statement_that_is_used_often_is_prepared()
    {
        await using var database = await TestDatabase.CreateAsync();
        var builder = new NpgsqlDataSourceBuilder(database.ConnectionString);
        DatabaseSessions.Configure(builder);
        await using var source = builder.Build();
        await using var connection = await source.OpenConnectionAsync();

        for (var use = 0; use < 10; use++)
            Assert.Equal(use, await connection.Sql("select @use::int").With("use", use).ExecuteScalarAsync());

        Assert.Equal(1L, await connection.Sql("select count(*) from pg_prepared_statements where statement = 'select $1::int'").ExecuteScalarAsync());
    }

    [LinuxFact]
    public async Task Both_ends_probe_a_silent_connection()
    {
        await using var database = await TestDatabase.CreateAsync();
        var builder = new NpgsqlDataSourceBuilder(database.ConnectionString);
        DatabaseSessions.Configure(builder);
        await using var source = builder.Build();
        await using var connection = await source.OpenConnectionAsync();

        Assert.Equal(
            ["30", "10", "3"],
            [
                await connection.Sql("show tcp_keepalives_idle").ExecuteScalarAsync(), await connection.Sql("show tcp_keepalives_interval").ExecuteScalarAsync(),
                await connection.Sql("show tcp_keepalives_count").ExecuteScalarAsync(),
            ]);
        var port = (int)(await connection.Sql("select inet_client_port()").ExecuteScalarAsync())!;
        await Eventually.TrueAsync(() => Task.FromResult(IsProbed(port)));
    }

    /// <summary>Whether the kernel's timer of the client's socket is that of keep-alive probes.</summary>
    private static bool IsProbed(int localPort)
    {
        var address = $":{localPort:X4}";
        return File.ReadLines("/proc/net/tcp").Skip(1).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Any(fields => fields[1].EndsWith(address, StringComparison.Ordinal) && fields[5].StartsWith("02:", StringComparison.Ordinal));
    }
}
