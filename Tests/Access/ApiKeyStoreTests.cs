using System.Collections.Concurrent;
using Darkroom.Access;
using Darkroom.Data;
using Darkroom.Tests.Faults;
using Darkroom.Tests.Infrastructure;
using Darkroom.Webhooks;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace Darkroom.Tests.Access;

public sealed class ApiKeyStoreTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new();
    private TestDatabase _database = null!;
    private ApiKeyStore _keys = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _keys = NewProcess();
    }

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_created_key_authenticates_its_owner_with_its_scopes()
    {
        var created = await _keys.CreateAsync("acme", "ci", [Scopes.Requests, Scopes.WorkflowsRead], default);

        var verified = await _keys.VerifyAsync(created.Text, default);

        Assert.NotNull(verified);
        Assert.Equal(created.Key.Owner, verified.Owner);
        Assert.Equal("acme", verified.OwnerName);
        Assert.Equal([Scopes.Requests, Scopes.WorkflowsRead], verified.Scopes);
        var listed = Assert.Single(await _keys.ListAsync("acme", default));
        Assert.Equal(("ci", created.Key.Prefix), (listed.Name, listed.Prefix));
        Assert.NotNull(listed.LastUsedAt);
    }

    [Fact]
    public async Task The_database_never_sees_the_secret()
    {
        var created = await _keys.CreateAsync("acme", "ci", [Scopes.Requests], default);

        var row = (string)(await _database.DataSource.Sql("select row_to_json(k)::text from api_keys k").ExecuteScalarAsync())!;

        Assert.Contains(created.Key.Prefix, row, StringComparison.Ordinal);
        Assert.DoesNotContain(created.Text[^20..], row, StringComparison.Ordinal);
        Assert.Contains(Convert.ToHexStringLower(ApiKeyText.Hash(created.Text)), row, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_with_one_letter_changed_is_unknown()
    {
        var text = (await _keys.CreateAsync("acme", "ci", [Scopes.Requests], default)).Text;

        foreach (var place in new[] { 4, text.Length - 20, text.Length - 1 })
        {
            var changed = text[..place] + (text[place] == 'x' ? 'y' : 'x') + text[(place + 1)..];
            Assert.Null(await _keys.VerifyAsync(changed, default));
        }

        Assert.Null(await _keys.VerifyAsync("nonsense", default));
        Assert.Null(await _keys.VerifyAsync("dk_x\0y_" + new string('a', 43), default));
        Assert.NotNull(await _keys.VerifyAsync(text, default));
    }

    [Fact]
    public async Task A_revoked_key_stops_working_here_at_once_and_elsewhere_when_the_cache_expires()
    {
        var text = (await _keys.CreateAsync("acme", "ci", [Scopes.Requests], default)).Text;
        var elsewhere = NewProcess();
        Assert.NotNull(await _keys.VerifyAsync(text, default));
        Assert.NotNull(await elsewhere.VerifyAsync(text, default));

        Assert.True(await _keys.RevokeAsync(ApiKeyText.Prefix(text)!, default));

        Assert.Null(await _keys.VerifyAsync(text, default));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Null(await elsewhere.VerifyAsync(text, default));
        Assert.False(await _keys.AnyAsync(default));
        Assert.NotNull(Assert.Single(await _keys.ListAsync(null, default)).RevokedAt);
    }

    [Fact]
    public async Task Revoking_an_unknown_prefix_returns_false() => Assert.False(await _keys.RevokeAsync("nosuchkey", default));

    [Fact]
    public async Task A_verified_key_is_cached()
    {
        var text = (await _keys.CreateAsync("acme", "ci", [Scopes.Requests], default)).Text;
        await _keys.VerifyAsync(text, default);
        await _database.DataSource.Sql("delete from api_keys").ExecuteNonQueryAsync();

        Assert.NotNull(await _keys.VerifyAsync(text, default));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Null(await _keys.VerifyAsync(text, default));
    }

    [Fact]
    public async Task A_new_owner_gets_a_webhook_secret_and_keeps_it()
    {
        var first = await _keys.CreateAsync("acme", "one", [Scopes.Requests], default);
        var second = await _keys.CreateAsync("acme", "two", [Scopes.Requests], default);

        Assert.Equal(first.Key.Owner, second.Key.Owner);
        Assert.NotNull(first.WebhookSecret);
        Assert.Equal(32, Convert.FromBase64String(first.WebhookSecret["whsec_".Length..]).Length);
        Assert.Null(second.WebhookSecret);
        var secrets = TestSecrets.Webhooks(_database.DataSource);
        Assert.Equal([first.WebhookSecret], await secrets.LiveAsync(first.Key.Owner, default));
    }

    [Fact]
    public async Task An_owner_created_concurrently_is_created_once()
    {
        var created = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => NewProcess().CreateAsync("acme", $"key {i}", [Scopes.Requests], default)));

        Assert.Single(created.Select(key => key.Key.Owner).Distinct());
        Assert.Single(created, key => key.WebhookSecret is not null);
    }

    [Fact]
    public async Task A_key_with_an_unknown_scope_is_not_created()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => _keys.CreateAsync("acme", "ci", ["everything"], default));
        await Assert.ThrowsAsync<ArgumentException>(() => _keys.CreateAsync("acme", "ci", [], default));
        Assert.Empty(await _keys.ListAsync(null, default));
    }

    /// <summary>A18: guessing costs the same whether the public prefix exists or not, so time does not tell.</summary>
    [Fact]
    public async Task A_wrong_secret_takes_the_same_statements_as_an_unknown_prefix()
    {
        var created = await _keys.CreateAsync("acme", "ci", [Scopes.Requests], default);
        await using var relay = new PostgresRelay(_database.ConnectionString);
        await using var relayed = NpgsqlDataSource.Create(relay.ConnectionString);
        var keys = NewProcess(relayed);
        // The first call opens the connection.
        await keys.VerifyAsync(ApiKeyText.Generate(), default);
        var statements = new ConcurrentQueue<string>();
        relay.Before = text =>
        {
            statements.Enqueue(text);
            return Task.FromResult(FaultKind.None);
        };

        async Task<string[]> StatementsAsync(string text)
        {
            statements.Clear();
            Assert.Null(await keys.VerifyAsync(text, default));
            return [.. statements];
        }

        var wrongSecret = await StatementsAsync(created.Text[..^20] + ApiKeyText.Generate()[^20..]);
        Assert.Single(wrongSecret, text => text.Contains("api_keys", StringComparison.Ordinal));
        Assert.Equal(wrongSecret, await StatementsAsync(ApiKeyText.Generate()));
        await _keys.RevokeAsync(created.Key.Prefix, default);
        Assert.Equal(wrongSecret, await StatementsAsync(created.Text));
    }

    // Each store has its own cache, like a separate process.
    private ApiKeyStore NewProcess(NpgsqlDataSource? database = null)
    {
        database ??= _database.DataSource;
        var options = Options.Create(new AccessOptions());
        return new ApiKeyStore(database, TestSecrets.Owners(database), new VerifiedKeyCache(_time, options), options, NullLogger<ApiKeyStore>.Instance);
    }
}
