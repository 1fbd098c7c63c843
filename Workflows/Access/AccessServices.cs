using Darkroom.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Darkroom.Access;

public static class AccessServices
{
    /// <summary>Owners, keys and what verifies them. Needs an <c>NpgsqlDataSource</c>.</summary>
    public static IServiceCollection AddApiKeys(this IServiceCollection services)
    {
        services.AddSettings<AccessOptions>("Access");
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<OwnerStore>();
        services.TryAddSingleton<ApiKeyStore>();
        services.TryAddSingleton<VerifiedKeyCache>();
        services.TryAddSingleton<BadKeyLimiter>();
        services.AddWebhookSecrets();
        return services;
    }

    /// <summary>The signing secrets alone, for whoever creates owners.</summary>
    public static IServiceCollection AddWebhookSecrets(this IServiceCollection services)
    {
        services.AddSettings<WebhookSecretOptions>("Webhooks");
        services.TryAddSingleton<WebhookSecrets>();
        return services;
    }
}
