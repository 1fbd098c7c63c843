using Darkroom.Configuration;
using Darkroom.Protection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Darkroom.Access;

public static class AccessServices
{
    /// <summary>Adds owners, API keys and their verification. Needs an <c>NpgsqlDataSource</c>.</summary>
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

    /// <summary>Adds only the webhook signing secrets, for services that create owners.</summary>
    public static IServiceCollection AddWebhookSecrets(this IServiceCollection services)
    {
        services.AddSettings<WebhookSecretOptions>("Webhooks");
        services.AddSecretProtection();
        services.TryAddSingleton<WebhookSecrets>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStoredSecrets, WebhookSecrets>(provider => provider.GetRequiredService<WebhookSecrets>()));
        return services;
    }
}
