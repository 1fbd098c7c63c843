using System.Security.Cryptography;
using Darkroom.Data;
using Darkroom.Protection;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Access;

/// <summary>
/// Owners' webhook signing secrets, stored encrypted. A new secret is shown once; while the old one is still valid, deliveries carry both
/// signatures.
/// </summary>
public sealed class WebhookSecrets(NpgsqlDataSource database, SecretProtector protector, IOptions<WebhookSecretOptions> options) : IStoredSecrets
{
    /// <summary>Starts every secret, as Standard Webhooks requires.</summary>
    public const string Prefix = "whsec_";

    private const string Purpose = "webhook-secret";

    public static string Generate() => Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    /// <summary>The secrets that currently sign this owner's deliveries, newest first.</summary>
    public async Task<IReadOnlyList<string>> LiveAsync(OwnerId owner, CancellationToken cancellationToken)
    {
        var secrets = new List<string>();
        await using var reader = await database.Sql(
                """
                select secret
                from webhook_secrets
                where owner_id = @owner
                  and (expires_at is null or expires_at > now())
                order by created_at desc, id
                """)
            .With("owner", owner.Value)
            .ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            secrets.Add(Reveal(owner, reader.GetString(0)));
        // Only an owner inserted by other means has no secret; treat it like a new one.
        return secrets.Count > 0 ? secrets : [(await RotateAsync(owner, cancellationToken)).Secret];
    }

    /// <summary>Creates a new secret. The current ones keep signing for a while, so that receivers can switch over without a gap.</summary>
    public async Task<RotatedWebhookSecret> RotateAsync(OwnerId owner, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // Concurrent rotations must not both leave a secret that never expires.
        await connection.Sql("select from owners where id = @owner for update").With("owner", owner.Value).ExecuteNonQueryAsync(cancellationToken);
        var expiry = await connection.Sql(
                """
                with ending as (
                  update webhook_secrets
                  set expires_at = least(expires_at, now() + @overlap)
                  where owner_id = @owner
                    and (expires_at is null or expires_at > now())
                  returning expires_at
                )
                select max(expires_at) from ending
                """)
            .With("owner", owner.Value)
            .With("overlap", NpgsqlDbType.Interval, options.Value.SecretOverlap)
            .ExecuteScalarAsync(cancellationToken);
        await connection.Sql("delete from webhook_secrets where owner_id = @owner and expires_at <= now()")
            .With("owner", owner.Value)
            .ExecuteNonQueryAsync(cancellationToken);
        var secret = await AddAsync(connection, owner, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return new RotatedWebhookSecret(secret, expiry is DateTime end ? new DateTimeOffset(end, TimeSpan.Zero) : null);
    }

    public async Task ProtectStoredAsync(CancellationToken cancellationToken)
    {
        foreach (var (id, owner, secret) in await ReadPlainAsync(cancellationToken))
        {
            await database.Sql("update webhook_secrets set secret = @protected where id = @id and secret = @secret")
                .With("id", id)
                .With("secret", secret)
                .With("protected", Protect(owner, secret))
                .ExecuteNonQueryAsync(cancellationToken);
        }
    }

    internal async Task<string> AddAsync(NpgsqlConnection connection, OwnerId owner, CancellationToken cancellationToken)
    {
        var secret = Generate();
        await connection.Sql("insert into webhook_secrets (owner_id, secret, created_at) values (@owner, @secret, clock_timestamp())")
            .With("owner", owner.Value)
            .With("secret", Protect(owner, secret))
            .ExecuteNonQueryAsync(cancellationToken);
        return secret;
    }

    private async Task<List<(Guid Id, OwnerId Owner, string Secret)>> ReadPlainAsync(CancellationToken cancellationToken)
    {
        var plain = new List<(Guid, OwnerId, string)>();
        await using var reader = await database.Sql("select id, owner_id, secret from webhook_secrets where starts_with(secret, @prefix)")
            .With("prefix", Prefix)
            .ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            plain.Add((reader.GetGuid(0), new OwnerId(reader.GetGuid(1)), reader.GetString(2)));
        return plain;
    }

    private string Protect(OwnerId owner, string secret) => protector.Protect(secret, Purpose, owner.ToString());

    // In plain text if a process of an earlier version has created it since this one started.
    private string Reveal(OwnerId owner, string stored) =>
        stored.StartsWith(Prefix, StringComparison.Ordinal) ? stored : protector.Unprotect(stored, Purpose, owner.ToString());
}

/// <param name="Secret">The new secret; it is shown only now.</param>
/// <param name="PreviousExpiresAt">Until when deliveries are also signed with the previous secret; null if there was none.</param>
public sealed record RotatedWebhookSecret(string Secret, DateTimeOffset? PreviousExpiresAt);
