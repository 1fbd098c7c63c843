using System.Security.Cryptography;
using Darkroom.Access;
using Darkroom.Data;
using Darkroom.Protection;
using Darkroom.Storage;
using Darkroom.Tests.Access;
using Darkroom.Tests.Api;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Protection;

public sealed class SecretsAtRestTests : IAsyncLifetime
{
    private const string LinkSecret = "image-links";

    private static readonly string Key = NewKey();

    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.CreateAsync();

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_dump_of_the_database_contains_no_secret_and_other_processes_still_sign_with_it()
    {
        await using var s3 = await TestS3.StartAsync();
        await using var api = await TestApi.StartAsync(_database.ConnectionString, s3.ConnectionString, $"Secrets:Key={Key}");
        var created = await api.Services.GetRequiredService<ApiKeyStore>().CreateAsync("acme", "test", [Scopes.Requests], default);
        var owner = created.Key.Owner;
        var rotated = await api.Services.GetRequiredService<WebhookSecrets>().RotateAsync(owner, default);
        var linkSecret = await api.Services.GetRequiredService<InstallationSecrets>().GetOrCreateAsync(LinkSecret, default);
        var link = api.Services.GetRequiredService<ImageLinks>().For(new ImageId(1), "key");

        var dump = await DumpAsync();

        Assert.Contains("acme", dump, StringComparison.Ordinal);
        foreach (var secret in new[] { created.WebhookSecret!, rotated.Secret }.Select(text => text[WebhookSecrets.Prefix.Length..]))
            AssertAbsent(Convert.FromBase64String(secret), dump);
        AssertAbsent(linkSecret, dump);
        Assert.DoesNotContain("masterKey", dump, StringComparison.Ordinal);

        await using var other = await TestApi.StartAsync(_database.ConnectionString, s3.ConnectionString, $"Secrets:Key={Key}");
        Assert.Equal([rotated.Secret, created.WebhookSecret!], await other.Services.GetRequiredService<WebhookSecrets>().LiveAsync(owner, default));
        Assert.True(other.Services.GetRequiredService<ImageLinks>().Verify(new ImageId(1), "key", link[(link.LastIndexOf('/') + 1)..]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Secrets_that_an_earlier_version_stored_in_plain_text_are_encrypted_at_the_next_start(bool withKey)
    {
        var (webhook, link) = (WebhookSecrets.Generate(), RandomNumberGenerator.GetBytes(32));
        var owner = new OwnerId(await InsertPlainAsync(webhook, link));
        (string, string)[] settings = withKey ? [("Secrets:Key", Key)] : [];
        var processes = Enumerable.Range(0, 4).Select(_ => TestSecrets.Process(_database.DataSource, settings)).ToList();

        await Task.WhenAll(processes.Select(PrepareAsync));

        var dump = await DumpAsync();
        AssertAbsent(Convert.FromBase64String(webhook[WebhookSecrets.Prefix.Length..]), dump);
        AssertAbsent(link, dump);
        foreach (var process in processes)
        {
            Assert.Equal([webhook], await process.GetRequiredService<WebhookSecrets>().LiveAsync(owner, default));
            Assert.Equal(link, await process.GetRequiredService<InstallationSecrets>().GetOrCreateAsync(LinkSecret, default));
            await process.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_secret_in_plain_text_is_used_until_it_is_encrypted()
    {
        var (webhook, link) = (WebhookSecrets.Generate(), RandomNumberGenerator.GetBytes(32));
        var owner = new OwnerId(await InsertPlainAsync(webhook, link));
        await using var process = TestSecrets.Process(_database.DataSource);

        Assert.Equal([webhook], await process.GetRequiredService<WebhookSecrets>().LiveAsync(owner, default));
        Assert.Equal(link, await process.GetRequiredService<InstallationSecrets>().GetOrCreateAsync(LinkSecret, default));
    }

    [Fact]
    public async Task Processes_that_start_at_once_create_one_key_and_read_each_others_secrets()
    {
        var processes = Enumerable.Range(0, 8).Select(_ => TestSecrets.Process(_database.DataSource, ("Secrets:Key", Key))).ToList();

        await Task.WhenAll(processes.Select(PrepareAsync));

        Assert.Equal(1L, await _database.DataSource.Sql("select count(*) from data_protection_keys").ExecuteScalarAsync());
        var protectors = processes.Select(process => process.GetRequiredService<SecretProtector>()).ToList();
        var stored = protectors.Select((protector, i) => protector.Protect($"secret {i}", "test")).ToList();
        Assert.All(protectors, protector => Assert.Equal(
            Enumerable.Range(0, 8).Select(i => $"secret {i}"), stored.Select(text => protector.Unprotect(text, "test"))));
        foreach (var process in processes)
            await process.DisposeAsync();
    }

    [Fact]
    public async Task The_key_can_be_set_later_and_changed()
    {
        var next = NewKey();
        var stored = await ProtectAsync("hello");
        Assert.Contains("masterKey", await DumpAsync(), StringComparison.Ordinal);

        Assert.Equal("hello", await UnprotectAsync(stored, ("Secrets:Key", Key)));
        Assert.DoesNotContain("masterKey", await DumpAsync(), StringComparison.Ordinal);

        Assert.Equal("hello", await UnprotectAsync(stored, ("Secrets:Key", next), ("Secrets:PreviousKey", Key)));
        Assert.Equal("hello", await UnprotectAsync(stored, ("Secrets:Key", next)));
    }

    [Fact]
    public async Task A_process_without_the_right_key_does_not_start()
    {
        await ProtectAsync("hello", ("Secrets:Key", Key));

        var without = await Assert.ThrowsAsync<InvalidOperationException>(() => ProtectAsync("hello"));
        var wrong = await Assert.ThrowsAsync<InvalidOperationException>(() => ProtectAsync("hello", ("Secrets:Key", NewKey())));

        Assert.Contains("Secrets:Key is not set", without.Message, StringComparison.Ordinal);
        Assert.Contains("another key than Secrets:Key", wrong.Message, StringComparison.Ordinal);
        Assert.Equal(1L, await _database.DataSource.Sql("select count(*) from data_protection_keys").ExecuteScalarAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_start_without_the_key_logs_a_warning(bool withKey)
    {
        (string, string)[] settings = withKey ? [("Secrets:Key", Key)] : [];
        await using var process = TestSecrets.Process(_database.DataSource, settings);
        using var log = new AccessApi.LogLines();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(log));

        await ActivatorUtilities.CreateInstance<SecretStartup>(process, loggers.CreateLogger<SecretStartup>()).StartAsync(default);

        Assert.Equal(withKey, log.Lines.IsEmpty);
        Assert.All(log.Lines, line => Assert.StartsWith("Warning: Secrets:Key is not set", line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Secrets:Key", "secret", "Secrets:Key must be 32 bytes, written as base64.")]
    [InlineData("Secrets:Key", "AAAAAAAAAAAAAAAAAAAAAA==", "Secrets:Key must be 32 bytes, written as base64.")]
    [InlineData("Secrets:PreviousKey", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "Secrets:PreviousKey is set without Secrets:Key.")]
    public void An_invalid_key_is_rejected(string setting, string value, string problem)
    {
        using var process = TestSecrets.Process(_database.DataSource, (setting, value));

        var rejected = Assert.Throws<OptionsValidationException>(() => process.GetRequiredService<IOptions<SecretsOptions>>().Value);

        Assert.Contains(problem, rejected.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(value, rejected.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_copied_to_another_owner_is_worthless_there()
    {
        await using var process = TestSecrets.Process(_database.DataSource);
        var secrets = process.GetRequiredService<WebhookSecrets>();
        var (victim, _) = await new OwnerStore(_database.DataSource, secrets).FindOrCreateAsync("victim", default);
        var (thief, _) = await new OwnerStore(_database.DataSource, secrets).FindOrCreateAsync("thief", default);
        await _database.DataSource.Sql("update webhook_secrets set owner_id = @thief where owner_id = @victim")
            .With("thief", thief.Value)
            .With("victim", victim.Value)
            .ExecuteNonQueryAsync();

        await Assert.ThrowsAsync<CryptographicException>(() => secrets.LiveAsync(thief, default));
    }

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private static Task PrepareAsync(IServiceProvider process) => process.GetRequiredService<SecretStartup>().PrepareAsync(default);

    private async Task<string> ProtectAsync(string secret, params (string, string)[] settings)
    {
        await using var process = TestSecrets.Process(_database.DataSource, settings);
        await PrepareAsync(process);
        return process.GetRequiredService<SecretProtector>().Protect(secret, "test");
    }

    private async Task<string> UnprotectAsync(string stored, params (string, string)[] settings)
    {
        await using var process = TestSecrets.Process(_database.DataSource, settings);
        await PrepareAsync(process);
        return process.GetRequiredService<SecretProtector>().Unprotect(stored, "test");
    }

    private async Task<Guid> InsertPlainAsync(string webhook, byte[] link) => (Guid)(await _database.DataSource.Sql(
            """
            with owner as (
              insert into owners (name)
              values ('acme')
              returning id
            ),
            link as (
              insert into installation_secrets (name, value)
              values (@name, @link)
            )
            insert into webhook_secrets (owner_id, secret)
            select id, @webhook
            from owner
            returning owner_id
            """)
        .With("name", LinkSecret)
        .With("link", link)
        .With("webhook", webhook)
        .ExecuteScalarAsync())!;

    /// <summary>Every row of every table as text, with bytes in hexadecimal.</summary>
    private async Task<string> DumpAsync()
    {
        var tables = (string[])(await _database.DataSource.Sql("select array_agg(tablename::text) from pg_tables where schemaname = 'public'").ExecuteScalarAsync())!;
        var dump = new List<string>();
        foreach (var table in tables)
            dump.Add((string)(await _database.DataSource.Sql($"select coalesce(string_agg(t::text, E'\\n'), '') from {table} t").ExecuteScalarAsync())!);
        return string.Join('\n', dump);
    }

    private static void AssertAbsent(byte[] secret, string dump)
    {
        Assert.DoesNotContain(Convert.ToBase64String(secret), dump, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToHexStringLower(secret), dump, StringComparison.Ordinal);
    }
}
