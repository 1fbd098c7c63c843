using Darkroom.Data;
using Npgsql;

namespace Darkroom.Access;

/// <summary>The people and systems that keys, requests and webhook secrets belong to. They come into being when first named.</summary>
public sealed class OwnerStore(NpgsqlDataSource database)
{
    /// <summary>The owner of that name; a new one is born with a webhook secret, which is returned this once.</summary>
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

    internal static async Task<(OwnerId Owner, string? NewWebhookSecret)> FindOrCreateAsync(
        NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        // Waits for a concurrent creation of the same name; whoever inserts the row also inserts the secret.
        var created = await connection.Sql("insert into owners (name) values (@name) on conflict (name) do nothing returning id")
            .With("name", name)
            .ExecuteScalarAsync(cancellationToken);
        if (created is Guid born)
        {
            var secret = await WebhookSecrets.AddAsync(connection, new OwnerId(born), cancellationToken);
            return (new OwnerId(born), secret);
        }

        var existing = await connection.Sql("select id from owners where name = @name").With("name", name).ExecuteScalarAsync(cancellationToken);
        return (new OwnerId((Guid)existing!), null);
    }
}
