using Darkroom.Data;
using Darkroom.Tests.Infrastructure;
using Npgsql;

namespace Darkroom.Tests.EndToEnd;

/// <summary>Prevents a request's outcomes from being recorded, by holding the lock that recorders take first.</summary>
internal sealed class StalledRecorder(DarkroomSystem system)
{
    private NpgsqlConnection? _connection;
    private NpgsqlTransaction? _transaction;

    /// <summary>Takes the lock once the fan-out is open, because the workflow's own steps need it before that.</summary>
    public async Task StallAsync(SubmittedRequest request)
    {
        _connection = await system.Database.DataSource.OpenConnectionAsync();
        await Eventually.GetAsync(
            async () =>
            {
                _transaction = await _connection.BeginTransactionAsync();
                var open = await _connection.Sql("select fan_out_open from csv_data_table where id = @id for no key update")
                    .With("id", Guid.Parse(request.Id))
                    .ExecuteScalarAsync();
                if (open is not true)
                    await _transaction.DisposeAsync();
                return open is true;
            },
            open => open, "The fan-out opens");
    }

    /// <summary>Completes when a recorder is waiting for the lock.</summary>
    public Task WaitsAsync() =>
        Eventually.GetAsync(
            async () => (await WaitingAsync()).Count, waiting => waiting > 0, "A recorder waits");

    /// <param name="commit">Whether the waiting transactions then run. If false, their connections are terminated.</param>
    public async Task ReleaseAsync(bool commit)
    {
        if (!commit)
        {
            foreach (var pid in await WaitingAsync())
                await system.Database.DataSource.Sql("select pg_terminate_backend(@pid, 5000)").With("pid", pid).ExecuteNonQueryAsync();
        }

        await _transaction!.DisposeAsync();
        await _connection!.DisposeAsync();
    }

    private async Task<List<int>> WaitingAsync()
    {
        await using var command = system.Database.DataSource.Sql(
            """
            select pid
            from pg_stat_activity
            where datname = current_database()
              and wait_event_type = 'Lock'
              -- The recorder's own statement: the workflow's step waits for the same row.
              and query like 'select 1%csv_data_table%'
              and exists (select from images where state = 'running')
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var waiting = new List<int>();
        while (await reader.ReadAsync())
            waiting.Add(reader.GetInt32(0));
        return waiting;
    }
}
