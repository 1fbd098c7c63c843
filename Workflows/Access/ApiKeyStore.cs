using System.Security.Cryptography;
using Darkroom.Data;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Access;

/// <summary>
/// Creates, lists, revokes and verifies API keys. Only a hash of each key is stored; keys are found by their public prefix.
/// </summary>
public sealed partial class ApiKeyStore(
    NpgsqlDataSource database, OwnerStore owners, VerifiedKeyCache cache, IOptions<AccessOptions> options, ILogger<ApiKeyStore> logger)
    : IDisposable
{
    private static readonly byte[] NoHash = new byte[SHA256.HashSizeInBytes];

    private readonly SemaphoreSlim _lookups = new(options.Value.ConcurrentLookups);

    public async Task<CreatedApiKey> CreateAsync(
        string owner, string name, IReadOnlyCollection<string> scopes, CancellationToken cancellationToken)
    {
        var text = ApiKeyText.Generate();
        var (key, secret) = await WriteAsync(text, owner, name, scopes, cancellationToken);
        LogCreated(key.Prefix, owner);
        return new CreatedApiKey(key, text, secret);
    }

    /// <summary>Creates or overwrites a given key and makes it valid: for the development key from configuration.</summary>
    public async Task UpsertAsync(
        string text, string owner, string name, IReadOnlyCollection<string> scopes, CancellationToken cancellationToken) =>
        await WriteAsync(text, owner, name, scopes, cancellationToken);

    public async Task<IReadOnlyList<ApiKey>> ListAsync(string? owner, CancellationToken cancellationToken)
    {
        var keys = new List<ApiKey>();
        await using var reader = await database.Sql(
                """
                select k.prefix, k.name, k.owner_id, o.name, k.scopes, k.created_at, k.last_used_at, k.revoked_at
                from api_keys k
                join owners o on o.id = k.owner_id
                where @owner is null or o.name = @owner
                order by o.name, k.created_at, k.prefix
                """)
            .With("owner", NpgsqlDbType.Text, owner)
            .ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            keys.Add(ReadKey(reader));
        return keys;
    }

    /// <summary>
    /// Revokes a key: immediately in this process, within <see cref="AccessOptions.Cache"/> in the others. False if no key has
    /// that prefix.
    /// </summary>
    public async Task<bool> RevokeAsync(string prefix, CancellationToken cancellationToken)
    {
        var known = await database.Sql("update api_keys set revoked_at = coalesce(revoked_at, now()) where prefix = @prefix")
            .With("prefix", prefix)
            .ExecuteNonQueryAsync(cancellationToken);
        cache.RemovePrefix(prefix);
        if (known == 1)
            LogRevoked(prefix);
        return known == 1;
    }

    public async Task<bool> AnyAsync(CancellationToken cancellationToken) =>
        await database.Sql("select exists (select from api_keys where revoked_at is null)").ExecuteScalarAsync(cancellationToken) is true;

    /// <summary>
    /// The owner that the key authenticates, or null. Unknown, wrong and revoked keys give the same result, after work that is as alike as it can be
    /// (benchmark <c>keys</c>).
    /// </summary>
    public async Task<VerifiedApiKey?> VerifyAsync(string text, CancellationToken cancellationToken)
    {
        if (ApiKeyText.Prefix(text) is not { } prefix)
            return null;
        var hash = ApiKeyText.Hash(text);
        if (cache.Find(hash) is { } known)
            return known;
        await _lookups.WaitAsync(cancellationToken);
        try
        {
            // Another call may have looked up the same key in the meantime.
            return cache.Find(hash) ?? await VerifyAsync(prefix, hash, cancellationToken);
        }
        finally
        {
            _lookups.Release();
        }
    }

    public void Dispose() => _lookups.Dispose();

    private async Task<VerifiedApiKey?> VerifyAsync(string prefix, byte[] hash, CancellationToken cancellationToken)
    {
        var started = cache.Now();
        var (key, stored) = await FindAsync(prefix, cancellationToken);
        // Compare even when there is no such key, so that an unknown prefix takes about as long as a wrong secret.
        var matches = CryptographicOperations.FixedTimeEquals(hash, stored);
        if (!matches || key is null)
        {
            cache.Remove(hash);
            return null;
        }

        cache.Add(hash, key, started);
        await TouchAsync(prefix, cancellationToken);
        return key;
    }

    private async Task<(VerifiedApiKey? Key, byte[] Hash)> FindAsync(string prefix, CancellationToken cancellationToken)
    {
        // One row in any case, so that it is read in any case.
        await using var reader = await database.Sql(
                """
                select k.prefix is not null, coalesce(k.owner_id, @nobody), coalesce(o.name, ''), coalesce(k.scopes, '{}'), coalesce(k.hash, @no_hash)
                from (select) one
                left join api_keys k on k.prefix = @prefix and k.revoked_at is null
                left join owners o on o.id = coalesce(k.owner_id, @nobody)
                """)
            .With("prefix", prefix)
            .With("nobody", Guid.Empty)
            .With("no_hash", NoHash)
            .ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var isKnown = reader.GetBoolean(0);
        var key = new VerifiedApiKey(
            prefix, new OwnerId(reader.GetGuid(1)), reader.GetString(2), reader.GetFieldValue<string[]>(3));
        var hash = reader.GetFieldValue<byte[]>(4);
        return (isKnown ? key : null, hash);
    }

    // One write a minute is enough to show which keys are still in use.
    private async Task TouchAsync(string prefix, CancellationToken cancellationToken) =>
        await database.Sql(
                """
                update api_keys
                set last_used_at = now()
                where prefix = @prefix
                  and (last_used_at is null or last_used_at < now() - interval '1 minute')
                """)
            .With("prefix", prefix)
            .ExecuteNonQueryAsync(cancellationToken);

    private async Task<(ApiKey Key, string? WebhookSecret)> WriteAsync(
        string text, string owner, string name, IReadOnlyCollection<string> scopes, CancellationToken cancellationToken)
    {
        var prefix = ApiKeyText.Prefix(text) ?? throw new ArgumentException("A key has the form dk_<prefix>_<secret>.", nameof(text));
        if (scopes.Count == 0 || scopes.Except(Scopes.All).Any())
            throw new ArgumentException($"Scopes must be one or more of {string.Join(", ", Scopes.All)}.", nameof(scopes));

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var (ownerId, secret) = await owners.FindOrCreateAsync(connection, owner, cancellationToken);
        await connection.Sql(
                """
                insert into api_keys (owner_id, name, prefix, hash, scopes)
                values (@owner, @name, @prefix, @hash, @scopes)
                on conflict (prefix) do update
                set owner_id = excluded.owner_id, name = excluded.name, hash = excluded.hash, scopes = excluded.scopes, revoked_at = null
                """)
            .With("owner", ownerId.Value)
            .With("name", name)
            .With("prefix", prefix)
            .With("hash", ApiKeyText.Hash(text))
            .With("scopes", scopes.Distinct().ToArray())
            .ExecuteNonQueryAsync(cancellationToken);
        await using var reader = await connection.Sql(
                """
                select k.prefix, k.name, k.owner_id, o.name, k.scopes, k.created_at, k.last_used_at, k.revoked_at
                from api_keys k
                join owners o on o.id = k.owner_id
                where k.prefix = @prefix
                """)
            .With("prefix", prefix)
            .ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var key = ReadKey(reader);
        await reader.CloseAsync();
        await transaction.CommitAsync(cancellationToken);
        cache.RemovePrefix(prefix);
        return (key, secret);
    }

    private static ApiKey ReadKey(NpgsqlDataReader reader) => new(
        reader.GetString(0),
        reader.GetString(1),
        new OwnerId(reader.GetGuid(2)),
        reader.GetString(3),
        reader.GetFieldValue<string[]>(4),
        reader.GetFieldValue<DateTimeOffset>(5),
        reader.IsDBNull(6) ? null : reader.GetFieldValue<DateTimeOffset>(6),
        reader.IsDBNull(7) ? null : reader.GetFieldValue<DateTimeOffset>(7));

    [LoggerMessage(Level = LogLevel.Information, Message = "Key {Prefix} created for owner {Owner}")]
    private partial void LogCreated(string prefix, string owner);

    [LoggerMessage(Level = LogLevel.Information, Message = "Key {Prefix} revoked")]
    private partial void LogRevoked(string prefix);
}
