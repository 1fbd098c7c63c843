using System.Security.Cryptography;
using Darkroom.Data;
using Npgsql;

namespace Darkroom.Storage;

/// <summary>Random secrets shared by all processes of one installation. They are stored only in the database.</summary>
public sealed class InstallationSecrets(NpgsqlDataSource database)
{
    /// <summary>The secret of that name: 32 random bytes, created on first use.</summary>
    public async Task<byte[]> GetOrCreateAsync(string name, CancellationToken cancellationToken)
    {
        // Two statements, because a single insert-or-select would not see a row that another process commits while it runs.
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
