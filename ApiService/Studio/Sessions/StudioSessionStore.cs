using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Darkroom.Access;
using Darkroom.Data;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Api.Studio.Sessions;

/// <summary>Studio's sessions: one row each, keyed by the hash of the cookie's value, so that the database never holds a usable cookie.</summary>
internal sealed class StudioSessionStore(NpgsqlDataSource database, IOptions<StudioOptions> options)
{
    // Only the scopes that Studio needs: a session cannot upload.
    private static readonly string[] StudioScopes = [Scopes.WorkflowsRead, Scopes.WorkflowsEdit, Scopes.Admin];

    /// <summary>Creates a session for the key and returns the cookie's value, or null if the key has just been revoked.</summary>
    public async Task<string?> CreateAsync(string keyPrefix, CancellationToken cancellationToken)
    {
        await DeleteExpiredAsync(cancellationToken);
        var id = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var created = await database.Sql(
                """
                insert into studio_sessions (id_hash, owner_id, key_prefix, scopes, expires_at)
                select @hash, owner_id, prefix, array(select unnest(scopes) intersect select unnest(@allowed)), now() + @lifetime
                from api_keys
                where prefix = @prefix
                  and revoked_at is null
                """)
            .With("hash", Hash(id))
            .With("allowed", StudioScopes)
            .With("lifetime", options.Value.Session)
            .With("prefix", keyPrefix)
            .ExecuteNonQueryAsync(cancellationToken);
        return created == 1 ? id : null;
    }

    /// <summary>The session, or null if it is unknown, expired or signed out, or its key has been revoked.</summary>
    /// <param name="id">The cookie's value.</param>
    /// <param name="extend">Whether this counts as use and extends the session.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<StudioSession?> FindAsync(string id, bool extend, CancellationToken cancellationToken)
    {
        var hash = Hash(id);
        if (extend)
            await ExtendAsync(hash, cancellationToken);
        await using var reader = await database.Sql(
                """
                select s.owner_id, o.name, s.key_prefix, s.scopes, s.expires_at
                from studio_sessions s
                join owners o on o.id = s.owner_id
                join api_keys k on k.prefix = s.key_prefix
                where s.id_hash = @hash
                  and s.expires_at > now()
                  and k.revoked_at is null
                """)
            .With("hash", hash)
            .ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new StudioSession(
                new OwnerId(reader.GetGuid(0)),
                reader.GetString(1),
                reader.GetString(2),
                reader.GetFieldValue<string[]>(3),
                reader.GetFieldValue<DateTimeOffset>(4))
            : null;
    }

    public async Task EndAsync(string id, CancellationToken cancellationToken) =>
        await database.Sql("delete from studio_sessions where id_hash = @hash").With("hash", Hash(id)).ExecuteNonQueryAsync(cancellationToken);

    // At most one update a minute, however many calls a page makes.
    private async Task ExtendAsync(byte[] hash, CancellationToken cancellationToken) =>
        await database.Sql(
                """
                update studio_sessions
                set expires_at = least(now() + @lifetime, created_at + @longest)
                where id_hash = @hash
                  and expires_at > now()
                  and expires_at < least(now() + @lifetime - interval '1 minute', created_at + @longest)
                """)
            .With("hash", hash)
            .With("lifetime", options.Value.Session)
            .With("longest", options.Value.MaxSession)
            .ExecuteNonQueryAsync(cancellationToken);

    private async Task DeleteExpiredAsync(CancellationToken cancellationToken) =>
        await database.Sql("delete from studio_sessions where expires_at <= now()").ExecuteNonQueryAsync(cancellationToken);

    private static byte[] Hash(string id) => SHA256.HashData(Encoding.UTF8.GetBytes(id));
}

/// <summary>A session: its owner, its scopes and when it expires.</summary>
internal sealed record StudioSession(OwnerId Owner, string OwnerName, string KeyPrefix, IReadOnlyList<string> Scopes, DateTimeOffset ExpiresAt);
