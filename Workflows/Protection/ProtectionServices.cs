using Darkroom.Configuration;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Darkroom.Protection;

public static class ProtectionServices
{
    /// <summary>Prepares the encryption of secrets at startup. Call it after <c>AddDatabaseStartup</c> and before everything else.</summary>
    public static IServiceCollection AddSecretStartup(this IServiceCollection services)
    {
        // Before AddDataProtection, whose own hosted service would create a first key without a lock.
        services.AddHostedService(provider => provider.GetRequiredService<SecretStartup>());
        return services.AddSecretProtection();
    }

    /// <summary>Adds <see cref="SecretProtector"/>. Needs an <c>NpgsqlDataSource</c>.</summary>
    public static IServiceCollection AddSecretProtection(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSettings<SecretsOptions>(SecretsOptions.Section);
        services.TryAddSingleton<KeyRingStore>();
        services.TryAddSingleton<SecretProtector>();
        services.TryAddSingleton<SecretStartup>();
        // All processes of an installation must have the same name.
        services.AddDataProtection().SetApplicationName("Darkroom");
        services.AddOptions<KeyManagementOptions>().Configure<KeyRingStore>((keys, ring) => keys.XmlRepository = ring);
        return services;
    }
}
