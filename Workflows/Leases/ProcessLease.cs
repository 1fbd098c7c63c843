using Darkroom.Data;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Leases;

/// <summary>Which kind of process this is; shown in the table of processes.</summary>
public sealed record ProcessKind(string Name);

/// <summary>
/// This process' row in the table of processes, kept alive by one heartbeat. Whatever the process claims names this row, so
/// one renewal covers all its claims, and all of them are free at once when it is gone.
/// </summary>
/// <remarks>
/// Register it before the services that claim work: it starts first and stops last, when they have handed everything back.
/// </remarks>
public sealed partial class ProcessLease(
    NpgsqlDataSource database,
    ProcessKind kind,
    TimeProvider time,
    IOptions<ProcessLeaseOptions> options,
    ILogger<ProcessLease> logger) : IHostedService, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private volatile CancellationTokenSource _held = new();
    private Task _heartbeat = Task.CompletedTask;

    /// <summary>Identifies this process in every claim. Never reused, not even by the same process after it lost its lease.</summary>
    public Guid Id { get; private set; } = Guid.NewGuid();

    /// <summary>Cancelled when the lease is lost: whatever runs under it must stop, for another process may already own it.</summary>
    public CancellationToken Held => _held.Token;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await RegisterAsync(cancellationToken);
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
            LogNotSignedOff(e, Id);
        }
    }

    private async Task RegisterAsync(CancellationToken cancellationToken) =>
        await database.Sql("insert into processes (id, kind, host, pid) values (@id, @kind, @host, @pid)")
            .With("id", Id)
            .With("kind", kind.Name)
            .With("host", Environment.MachineName)
            .With("pid", Environment.ProcessId)
            .ExecuteNonQueryAsync(cancellationToken);

    private async Task BeatAsync(CancellationToken stopping)
    {
        var lastBeat = time.GetTimestamp();
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(options.Value.Heartbeat, time, stopping);
                // Measured from before the statement is sent: the database's clock for this beat cannot be earlier.
                var sent = time.GetTimestamp();
                using var attempt = CancellationTokenSource.CreateLinkedTokenSource(stopping);
                attempt.CancelAfter(options.Value.Heartbeat);
                if (!await RenewAsync(attempt.Token)) await StartOverAsync(stopping);
                lastBeat = sent;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever it was: without this loop nobody would notice that the lease is lost.
                LogHeartbeatFailed(e);
            }

            // Others may take our claims once the row is older than the lease: stop before that, not after.
            if (!_held.IsCancellationRequested && time.GetElapsedTime(lastBeat) > options.Value.Duration - options.Value.Heartbeat)
            {
                LogLost(Id);
                await _held.CancelAsync();
            }
        }
    }

    /// <summary>False if the row is gone, or so old that its claims may have been taken.</summary>
    private async Task<bool> RenewAsync(CancellationToken cancellationToken)
    {
        if (_held.IsCancellationRequested) return false;
        var renewed = await database.Sql(
                """
                update processes
                set heartbeat_at = now()
                where id = @id
                  and heartbeat_at > now() - @lease
                """)
            .With("id", Id)
            .With("lease", options.Value.Duration)
            .ExecuteNonQueryAsync(cancellationToken);
        return renewed == 1;
    }

    /// <summary>A new identity: claims made under the old one are no longer ours, whatever their rows still say.</summary>
    private async Task StartOverAsync(CancellationToken cancellationToken)
    {
        await _held.CancelAsync();
        await database.Sql("delete from processes where id = @id").With("id", Id).ExecuteNonQueryAsync(cancellationToken);
        Id = Guid.NewGuid();
        await RegisterAsync(cancellationToken);
        _held = new CancellationTokenSource();
        LogStartedOver(Id);
    }

    public void Dispose()
    {
        _stop.Dispose();
        _held.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The heartbeat could not be written; trying again")]
    private partial void LogHeartbeatFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Process {Process} could not sign off; its claims are free when its lease ends")]
    private partial void LogNotSignedOff(Exception exception, Guid process);

    [LoggerMessage(Level = LogLevel.Error, Message = "Process {Process} lost its lease; everything it runs is cancelled")]
    private partial void LogLost(Guid process);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Started over as process {Process}")]
    private partial void LogStartedOver(Guid process);
}
