using System.Xml.Linq;
using Darkroom.Data;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Protection;

/// <summary>The key ring of Data Protection, in the database and thus shared by all processes; encrypted if <c>Secrets:Key</c> is set.</summary>
internal sealed class KeyRingStore(NpgsqlDataSource database, IOptions<SecretsOptions> options) : IXmlRepository
{
    private const string Select = "select name, xml, sealed from data_protection_keys order by created_at, name";

    private readonly byte[]? _key = Key(options.Value.Key);
    private readonly byte[]? _previousKey = Key(options.Value.PreviousKey);

    // Data Protection reads and writes its ring synchronously, about once a day.
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var command = database.Sql(Select);
        using var reader = command.ExecuteReader();
        var elements = new List<XElement>();
        while (reader.Read())
            elements.Add(XElement.Parse(Open(Read(reader)).Text));
        return elements;
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        using var command = Write(database.Sql("insert into data_protection_keys (name, xml, sealed) values (@name, @xml, @sealed)"), friendlyName, element.ToString());
        command.ExecuteNonQuery();
    }

    /// <summary>Encrypts the keys that are stored in plain text or were encrypted with the previous key.</summary>
    /// <exception cref="InvalidOperationException">A key was encrypted with a key that is not configured.</exception>
    public async Task SealAsync(CancellationToken cancellationToken)
    {
        foreach (var stored in await ReadAllAsync(cancellationToken))
        {
            var (text, isCurrent) = Open(stored);
            if (isCurrent)
                continue;
            await Write(database.Sql("update data_protection_keys set xml = @xml, sealed = @sealed where name = @name"), stored.Name, text)
                .ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private async Task<List<StoredKey>> ReadAllAsync(CancellationToken cancellationToken)
    {
        var keys = new List<StoredKey>();
        await using var reader = await database.Sql(Select).ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            keys.Add(Read(reader));
        return keys;
    }

    /// <summary>The key's text, and whether it is stored as the configuration demands.</summary>
    private (string Text, bool IsCurrent) Open(StoredKey stored)
    {
        if (stored.Xml is { } xml)
            return (xml, _key is null);
        if (_key is not null && RingCipher.TryOpen(_key, stored.Name, stored.Sealed) is { } text)
            return (text, true);
        if (_previousKey is not null && RingCipher.TryOpen(_previousKey, stored.Name, stored.Sealed) is { } previous)
            return (previous, false);
        throw new InvalidOperationException(
            _key is null
                ? "The secrets in this database are encrypted with a key, but Secrets:Key is not set. Set it to the key that was used before."
                : "The secrets in this database are encrypted with another key than Secrets:Key. Set the key that was used before as Secrets:Key or Secrets:PreviousKey.");
    }

    private NpgsqlCommand Write(NpgsqlCommand command, string name, string text) => command
        .With("name", name)
        .With("xml", NpgsqlTypes.NpgsqlDbType.Text, _key is null ? text : null)
        .With("sealed", NpgsqlTypes.NpgsqlDbType.Bytea, _key is null ? null : RingCipher.Seal(_key, name, text));

    private static StoredKey Read(NpgsqlDataReader reader) => new(reader.GetString(0), reader.TextOrNull(1), reader.BytesOrNull(2));

    private static byte[]? Key(string? base64) => string.IsNullOrEmpty(base64) ? null : RingCipher.ReadKey(base64);

    private sealed record StoredKey(string Name, string? Xml, byte[]? Sealed);
}
