using Darkroom.Access;
using Darkroom.Protection;
using Darkroom.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Tests.Infrastructure;

/// <summary>The encryption of secrets as one process has it: each call stands for a process of its own on the same database.</summary>
internal static class TestSecrets
{
    public static SecretProtector Protector(NpgsqlDataSource database) => Process(database).GetRequiredService<SecretProtector>();

    public static WebhookSecrets Webhooks(NpgsqlDataSource database) => new(database, Protector(database), Options.Create(new WebhookSecretOptions()));

    public static OwnerStore Owners(NpgsqlDataSource database) => new(database, Webhooks(database));

    /// <param name="settings">Settings of the process, such as <c>Secrets:Key</c>.</param>
    public static ServiceProvider Process(NpgsqlDataSource database, params (string Name, string Value)[] settings) => new ServiceCollection()
        .AddSingleton(database)
        .AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)))
            .Build())
        .AddLogging()
        .AddWebhookSecrets()
        .AddInstallationSecrets()
        .BuildServiceProvider();
}
