using Darkroom.Data;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Protection;

/// <summary>
/// Prepares the encryption of secrets before anything uses them. One process at a time: the first one creates the key that the others then
/// find, and encrypts what earlier versions stored in plain text.
/// </summary>
internal sealed partial class SecretStartup(
    NpgsqlDataSource database, KeyRingStore ring, SecretProtector protector, IEnumerable<IStoredSecrets> stored, IOptions<SecretsOptions> options,
    TimeProvider time, ILogger<SecretStartup> logger) : IHostedService
{
    // An arbitrary constant, distinct from the other advisory locks in the database.
    private const long StartupLock = 0x6461726b73656372;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!options.Value.HasKey)
            LogNoKey();
        await DatabaseWait.RunAsync(PrepareAsync, time, LogWaiting, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.Sql("select pg_advisory_lock(@lock)").With("lock", StartupLock).WithoutTimeout().ExecuteNonQueryAsync(cancellationToken);
        try
        {
            await ring.SealAsync(cancellationToken);
            // Creates the first key, if there is none. Two processes would otherwise create one each, and not know the other's.
            protector.Protect("", "startup");
            foreach (var secrets in stored)
                await secrets.ProtectStoredAsync(cancellationToken);
        }
        finally
        {
            await connection.Sql("select pg_advisory_unlock(@lock)").With("lock", StartupLock).ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Secrets:Key is not set, so the keys that encrypt webhook and link secrets are themselves stored in plain text: "
            + "whoever can read the whole database can read the secrets. Set it to 32 random bytes as base64 (openssl rand -base64 32).")]
    private partial void LogNoKey();

    [LoggerMessage(Level = LogLevel.Information, Message = "Waiting for the database: {Reason}")]
    private partial void LogWaiting(string reason);
}
