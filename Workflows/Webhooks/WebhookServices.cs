using Darkroom.Access;
using Darkroom.Configuration;
using Darkroom.Egress;
using Darkroom.Images;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Darkroom.Webhooks;

public static class WebhookServices
{
    /// <summary>Adds <see cref="WebhookOutbox"/>, for services that end runs. Requires the image links.</summary>
    public static IServiceCollection AddWebhookOutbox(this IServiceCollection services)
    {
        services.AddWebhookOptions();
        services.TryAddSingleton<WebhookOutbox>();
        return services;
    }

    /// <summary>Adds <see cref="WebhookLog"/>, for services that show deliveries to their owners.</summary>
    public static IServiceCollection AddWebhookLog(this IServiceCollection services)
    {
        services.AddWebhookOptions();
        services.TryAddSingleton<WebhookLog>();
        return services;
    }

    /// <summary>Adds claiming and sending of deliveries. Requires the process lease.</summary>
    public static IServiceCollection AddWebhookSending(this IServiceCollection services)
    {
        services.AddWebhookOptions();
        services.AddEgress();
        services.TryAddSingleton<WebhookClaims>();
        services.TryAddSingleton<WebhookSender>();
        return services;
    }

    private static IServiceCollection AddWebhookOptions(this IServiceCollection services)
    {
        services.AddSettings<WebhookOptions>("Webhooks");
        return services.AddWebhookSecrets();
    }
}
