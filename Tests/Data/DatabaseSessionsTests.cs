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
        DatabaseSessions.LimitIdleTransactions(builder);
        await using var source = builder.Build();

        for (var use = 0; use < 2; use++)
            Assert.Equal("30s", await source.Sql("show idle_in_transaction_session_timeout").ExecuteScalarAsync());
        Assert.Equal(seqscan, await source.Sql("show enable_seqscan").ExecuteScalarAsync());
    }
}
