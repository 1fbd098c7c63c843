using System.Net;
using Darkroom.Data;
using Darkroom.Tests.Faults;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Darkroom.Tests.Data;

public sealed class PostgresNotificationListenerTests
{
    [Fact]
    public async Task Listening_resumes_after_the_connection_was_forgotten_without_a_word()
    {
        await using var database = await TestDatabase.CreateAsync();
        var server = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        await using var relay = new PlainRelay(new IPEndPoint(IPAddress.Parse(server.Host!), server.Port), IPAddress.Loopback, 0);
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(database.ConnectionString) { Port = relay.Port, CommandTimeout = 5, CancellationTimeout = -1 });
        var received = 0;
        await using var listener = new PostgresNotificationListener(source, "news", TimeSpan.FromHours(1), TimeProvider.System, NullLogger.Instance)
        {
            Silence = TimeSpan.FromSeconds(1),
            OnNotification = _ => Interlocked.Increment(ref received),
        };
        listener.Start();
        await HearsAsync();

        relay.Forget();

        Volatile.Write(ref received, 0);
        await HearsAsync();

        Task HearsAsync() => Eventually.TrueAsync(async () =>
        {
            await database.DataSource.Sql("notify news").ExecuteNonQueryAsync();
            return Volatile.Read(ref received) > 0;
        });
    }

    [Fact]
    public async Task Session_of_a_stopped_listener_no_longer_listens()
    {
        await using var database = await TestDatabase.CreateAsync();
        var builder = new NpgsqlDataSourceBuilder(database.ConnectionString);
        builder.ConnectionStringBuilder.MaxPoolSize = 1;
        DatabaseSessions.Configure(builder);
        await using var source = builder.Build();
        var heard = new TaskCompletionSource();
        await using (var listener = new PostgresNotificationListener(source, "news", TimeSpan.FromHours(1), TimeProvider.System, NullLogger.Instance)
        {
            OnNotification = _ => heard.TrySetResult(),
        })
        {
            listener.Start();
            await Eventually.TrueAsync(async () =>
            {
                await database.DataSource.Sql("notify news").ExecuteNonQueryAsync();
                return heard.Task.IsCompleted;
            });
        }

        Assert.Equal(0L, await source.Sql("select count(*) from pg_listening_channels()").ExecuteScalarAsync());
    }
}
