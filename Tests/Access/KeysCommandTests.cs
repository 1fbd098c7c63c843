using Darkroom.Access;
using Darkroom.Api.Access;
using Darkroom.Data;
using Darkroom.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Tests.Access;

public sealed class KeysCommandTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private ServiceProvider _services = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddSingleton(_database.DataSource).AddLogging().AddApiKeys();
        _services = services.BuildServiceProvider();
    }

    public async Task DisposeAsync()
    {
        await _services.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Create_prints_only_a_working_key_on_standard_output()
    {
        var (code, output, error) = await RunAsync("keys", "create", "--owner", "acme", "--name", "ci", "--scopes", "requests, workflows:edit");

        Assert.Equal(0, code);
        var verified = await _services.GetRequiredService<ApiKeyStore>().VerifyAsync(output.TrimEnd(), default);
        Assert.NotNull(verified);
        Assert.Equal(["requests", "workflows:edit"], verified.Scopes);
        Assert.Contains("whsec_", error, StringComparison.Ordinal);
        Assert.DoesNotContain(output.Trim(), error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_migrates_an_empty_database()
    {
        await _database.DataSource.Sql("drop schema public cascade; create schema public").ExecuteNonQueryAsync();

        var (code, output, _) = await RunAsync("keys", "create", "--owner", "acme");

        Assert.Equal(0, code);
        Assert.NotNull(await _services.GetRequiredService<ApiKeyStore>().VerifyAsync(output.TrimEnd(), default));
    }

    [Fact]
    public async Task List_shows_keys_without_their_secrets_and_revoke_disables_one()
    {
        var key = (await RunAsync("keys", "create", "--owner", "acme")).Output.Trim();
        await RunAsync("keys", "create", "--owner", "other");
        var prefix = ApiKeyText.Prefix(key)!;

        var listed = await RunAsync("keys", "list", "--owner", "acme");
        var revoked = await RunAsync("keys", "revoke", prefix);
        var again = await RunAsync("keys", "revoke", "nosuchkey");

        Assert.Equal(2, listed.Output.TrimEnd().Split('\n').Length);
        Assert.Contains(prefix, listed.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(key[^43..], listed.Output, StringComparison.Ordinal);
        Assert.Equal((0, 1), (revoked.Code, again.Code));
        Assert.Null(await _services.GetRequiredService<ApiKeyStore>().VerifyAsync(key, default));
    }

    [Fact]
    public async Task Rotating_the_webhook_secret_prints_the_new_one_and_both_sign()
    {
        await RunAsync("keys", "create", "--owner", "acme");

        var (code, output, _) = await RunAsync("keys", "webhook-secret", "--owner", "acme", "--rotate");

        Assert.Equal(0, code);
        var owner = await _services.GetRequiredService<OwnerStore>().FindAsync("acme", default);
        var live = await _services.GetRequiredService<WebhookSecrets>().LiveAsync(owner!.Value, default);
        Assert.Equal(2, live.Count);
        Assert.Equal(output.Trim(), live[0]);
        Assert.Equal(1, (await RunAsync("keys", "webhook-secret", "--owner", "nobody", "--rotate")).Code);
    }

    [Theory]
    [InlineData("keys")]
    [InlineData("keys create")]
    [InlineData("keys create --owner")]
    [InlineData("keys create --owner acme --owner other")]
    [InlineData("keys create --owner acme --colour red")]
    [InlineData("keys create --owner acme --scopes everything")]
    [InlineData("keys revoke")]
    [InlineData("keys revoke one two")]
    [InlineData("keys webhook-secret --owner acme")]
    [InlineData("keys burn")]
    public async Task An_invalid_command_is_explained_and_does_nothing(string line)
    {
        var (code, output, error) = await RunAsync(line.Split(' '));

        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.NotEmpty(error);
        Assert.Equal(0L, await _database.DataSource.Sql("select count(*) from owners").ExecuteScalarAsync());
    }

    [Theory]
    [InlineData("", "ConnectionStrings__darkroom")]
    [InlineData("Host=127.0.0.1;Port=1", "cannot be used")]
    [InlineData("Host", "initialization string")]
    public async Task Without_a_usable_database_the_reason_is_one_sentence(string connectionString, string reason)
    {
        var (code, output, error) = await RunAsync(connectionString, ["keys", "create", "--owner", "acme"]);

        Assert.Equal((1, ""), (code, output));
        Assert.Contains(reason, Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    private Task<(int Code, string Output, string Error)> RunAsync(params string[] args) => RunAsync(_database.ConnectionString, args);

    private static async Task<(int Code, string Output, string Error)> RunAsync(string database, string[] args)
    {
        Assert.Equal("keys", args[0]);
        using var output = new StringWriter();
        using var error = new StringWriter();
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:darkroom", database)]);
        var code = await KeysCommand.RunAsync(args[1..], builder, output, error, default);
        return (code, output.ToString(), error.ToString());
    }
}
