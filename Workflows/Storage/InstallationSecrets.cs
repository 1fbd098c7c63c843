using System.Security.Cryptography;
using Darkroom.Data;
using Darkroom.Protection;
using Npgsql;

namespace Darkroom.Storage;

/// <summary>Random secrets shared by all processes of one installation. They are stored only in the database, encrypted.</summary>
public sealed class InstallationSecrets(NpgsqlDataSource database, SecretProtector protector) : IStoredSecrets
{
    private const string Purpose = "installation-secret";

    // An encrypted secret is always longer than the secret, so the length tells them apart.
    private const int SecretBytes = 32;

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
            .With("value", Protect(name, RandomNumberGenerator.GetBytes(SecretBytes)))
            .ExecuteNonQueryAsync(cancellationToken);

        var value = await database.Sql("select value from installation_secrets where name = @name")
            .With("name", name)
            .ExecuteScalarAsync(cancellationToken);
        return Reveal(name, (byte[])value!);
    }

    public async Task ProtectStoredAsync(CancellationToken cancellationToken)
    {
        foreach (var (name, secret) in await ReadPlainAsync(cancellationToken))
        {
            await database.Sql("update installation_secrets set value = @protected where name = @name and value = @secret")
                .With("name", name)
                .With("secret", secret)
                .With("protected", Protect(name, secret))
                .ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private async Task<List<(string Name, byte[] Secret)>> ReadPlainAsync(CancellationToken cancellationToken)
    {
        var plain = new List<(string, byte[])>();
        await using var reader = await database.Sql("select name, value from installation_secrets where length(value) = @length")
            .With("length", SecretBytes)
            .ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            plain.Add((reader.GetString(0), reader.GetFieldValue<byte[]>(1)));
        return plain;
    }

    private byte[] Protect(string name, byte[] secret) => protector.Protect(secret, Purpose, name);

    // In plain text if a process of an earlier version has created it since this one started.
    private byte[] Reveal(string name, byte[] stored) => stored.Length == SecretBytes ? stored : protector.Unprotect(stored, Purpose, name);
}
