using Darkroom.Data;
using Npgsql;

namespace Darkroom.Access;

/// <summary>
/// The people and systems that keys, requests and webhook secrets belong to. An owner is created the first time its name is used.
/// </summary>
public sealed class OwnerStore(NpgsqlDataSource database, WebhookSecrets secrets)
{
    /// <summary>The owner with this name, created if needed. A new owner gets a webhook secret, which is returned only now.</summary>
    public async Task<(OwnerId Owner, string? NewWebhookSecret)> FindOrCreateAsync(string name, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var found = await FindOrCreateAsync(connection, name, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return found;
    }

    public async Task<OwnerId?> FindAsync(string name, CancellationToken cancellationToken) =>
        await database.Sql("select id from owners where name = @name").With("name", name).ExecuteScalarAsync(cancellationToken) is Guid id
            ? new OwnerId(id)
            : null;

    internal async Task<(OwnerId Owner, string? NewWebhookSecret)> FindOrCreateAsync(
        NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        // Waits for a concurrent insert of the same name; the transaction that inserts the owner also inserts the secret.
        var created = await connection.Sql("insert into owners (name) values (@name) on conflict (name) do nothing returning id")
            .With("name", name)
            .ExecuteScalarAsync(cancellationToken);
        if (created is Guid id)
        {
            var secret = await secrets.AddAsync(connection, new OwnerId(id), cancellationToken);
            return (new OwnerId(id), secret);
        }

        var existing = await connection.Sql("select id from owners where name = @name").With("name", name).ExecuteScalarAsync(cancellationToken);
        return (new OwnerId((Guid)existing!), null);
    }
}
