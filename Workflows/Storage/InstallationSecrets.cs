using System.Security.Cryptography;
using Darkroom.Data;
using Npgsql;

namespace Darkroom.Storage;

/// <summary>Random keys that every process of one installation shares. They never leave the database but into our own memory.</summary>
public sealed class InstallationSecrets(NpgsqlDataSource database)
{
    /// <summary>The secret of that name: 32 bytes, made once by whoever asks first.</summary>
    public async Task<byte[]> GetOrCreateAsync(string name, CancellationToken cancellationToken)
    {
        // Two statements: one that inserts and selects at once would not see a row that another process commits between its two halves.
        await database.Sql(
                """
                insert into installation_secrets (name, value)
                values (@name, @value)
                on conflict do nothing
                """)
            .With("name", name)
            .With("value", RandomNumberGenerator.GetBytes(32))
            .ExecuteNonQueryAsync(cancellationToken);

        var value = await database.Sql("select value from installation_secrets where name = @name")
            .With("name", name)
            .ExecuteScalarAsync(cancellationToken);
        return (byte[])value!;
    }
}
