using Darkroom.Data;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Leases;

/// <summary>The kind of this process; shown in the processes table.</summary>
public sealed record ProcessKind(string Name);

/// <summary>One lease of this process, from when it was acquired until it is lost. Work claimed under it ends with it.</summary>
/// <param name="Id">Identifies the process in its claims. Never reused.</param>
/// <param name="Held">Cancelled when the lease is lost: another process may already own what was claimed under it.</param>
public sealed record HeldLease(Guid Id, CancellationToken Held);

/// <summary>
/// This process' row in the processes table, renewed by one heartbeat. Every claim of the process refers to this row, so one renewal
/// covers all its claims, and all of them are freed when the row is deleted.
/// </summary>
/// <remarks>
/// Register it before the services that claim work: it must start first and stop last, after they have handed everything back.
/// </remarks>
public sealed partial class ProcessLease(
    NpgsqlDataSource database,
    ProcessKind kind,
    TimeProvider time,
    IOptions<ProcessLeaseOptions> options,
    ILogger<ProcessLease> logger) : IHostedService, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private volatile Term _term = new();
    private Task _heartbeat = Task.CompletedTask;

    /// <summary>
    /// The present lease. Read it once for a claim and what follows from it: after a loss there is a new one, under which claims of the old
    /// one must not go on.
    /// </summary>
    public HeldLease Current => _term.Lease;

    /// <summary>The id of the present lease.</summary>
    public Guid Id => Current.Id;

    /// <summary>Cancelled when the present lease is lost.</summary>
    public CancellationToken Held => Current.Held;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await RegisterAsync(Id, cancellationToken);
        _heartbeat = Task.Run(() => BeatAsync(_stop.Token), CancellationToken.None);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _heartbeat;
        try
        {
            await database.Sql("delete from processes where id = @id").With("id", Id).ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception e) when (DatabaseErrors.IsTransient(e) || e is OperationCanceledException)
        {
            LogLeaseNotDeleted(e, Id);
        }
    }

    private async Task RegisterAsync(Guid id, CancellationToken cancellationToken) =>
        await database.Sql(
                $"""
                insert into processes (id, kind, host, pid, beating_since)
                values (@id, @kind, @host, @pid, {ProcessLeaseSql.BeatingSince})
                """)
            .WithLease(options.Value)
            .With("id", id)
            .With("kind", kind.Name)
            .With("host", Environment.MachineName)
            .With("pid", Environment.ProcessId)
            .ExecuteNonQueryAsync(cancellationToken);

    private async Task BeatAsync(CancellationToken stopping)
    {
        var lastBeat = time.GetTimestamp();
        var pause = options.Value.Heartbeat;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(pause, time, stopping);
                pause = options.Value.HeartbeatRetry;
                // Taken before the statement is sent, so it is never later than the database's time of this heartbeat.
                var sent = time.GetTimestamp();
                using var attempt = CancellationTokenSource.CreateLinkedTokenSource(stopping);
                attempt.CancelAfter(options.Value.HeartbeatTimeout);
                if (!await RenewAsync(attempt.Token))
                    await RenewIdentityAsync(stopping);
                lastBeat = sent;
                pause = options.Value.Heartbeat;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Catch everything: if this loop ended, a lost lease would go unnoticed.
                LogHeartbeatFailed(e);
            }

            // Other processes may take over our claims once the heartbeat is older than the lease, so stop before that.
            if (!Held.IsCancellationRequested && time.GetElapsedTime(lastBeat) > options.Value.Duration - options.Value.Heartbeat)
            {
                LogLost(Id);
                await _term.LoseAsync();
            }
        }
    }

    /// <summary>False if the row is gone, or so old that its claims may have been taken over.</summary>
    private async Task<bool> RenewAsync(CancellationToken cancellationToken)
    {
        if (Held.IsCancellationRequested)
            return false;
        var renewed = await database.Sql(
                $"""
                update processes
                set heartbeat_at = now(),
                    beating_since = {ProcessLeaseSql.BeatingSince}
                where id = @id
                  and heartbeat_at > now() - @lease
                """)
            .With("id", Id)
            .WithLease(options.Value)
            .ExecuteNonQueryAsync(cancellationToken);
        return renewed == 1;
    }

    /// <summary>Takes a new id. Claims made under the old one are lost, even if their rows still name it.</summary>
    private async Task RenewIdentityAsync(CancellationToken cancellationToken)
    {
        await _term.LoseAsync();
        await database.Sql("delete from processes where id = @id").With("id", Id).ExecuteNonQueryAsync(cancellationToken);
        var next = new Term();
        await RegisterAsync(next.Lease.Id, cancellationToken);
        _term = next;
        LogIdentityRenewed(Id);
    }

    public void Dispose()
    {
        _stop.Dispose();
        _term.Dispose();
    }

    /// <summary>A lease together with what ends it: one value, so that nobody sees the id of one with the cancellation of another.</summary>
    private sealed class Term : IDisposable
    {
        private readonly CancellationTokenSource _lost = new();

        public Term() => Lease = new HeldLease(Guid.NewGuid(), _lost.Token);

        public HeldLease Lease { get; }

        public Task LoseAsync() => _lost.CancelAsync();

        public void Dispose() => _lost.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The heartbeat could not be written; retrying")]
    private partial void LogHeartbeatFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Process {Process} could not delete its lease; its claims will be freed when it expires")]
    private partial void LogLeaseNotDeleted(Exception exception, Guid process);

    [LoggerMessage(Level = LogLevel.Error, Message = "Process {Process} lost its lease; cancelling everything it is running")]
    private partial void LogLost(Guid process);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Acquired a new lease as process {Process}")]
    private partial void LogIdentityRenewed(Guid process);
}
