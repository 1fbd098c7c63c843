using Darkroom.Access;
using Darkroom.Configuration;
using Darkroom.Egress;
using Darkroom.Images;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Darkroom.Webhooks;

public static class WebhookServices
{
    /// <summary>For whoever ends runs: <see cref="WebhookOutbox"/>. Needs the storage's links.</summary>
    public static IServiceCollection AddWebhookOutbox(this IServiceCollection services)
    {
        services.AddWebhookOptions();
        services.TryAddSingleton<WebhookOutbox>();
        return services;
    }

    /// <summary>For whoever shows deliveries to their owners: <see cref="WebhookLog"/>.</summary>
    public static IServiceCollection AddWebhookLog(this IServiceCollection services)
    {
        services.AddWebhookOptions();
        services.TryAddSingleton<WebhookLog>();
        return services;
    }

    /// <summary>For whoever sends deliveries. Needs this process' lease.</summary>
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
