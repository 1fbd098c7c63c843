using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Darkroom.Webhooks;

public static class WebhookServices
{
    /// <summary>The signing secrets alone, for whoever creates owners.</summary>
    public static IServiceCollection AddWebhookSecrets(this IServiceCollection services)
    {
        services.AddOptions<WebhookOptions>().BindConfiguration("Webhooks").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<WebhookSecrets>();
        return services;
    }

    /// <summary>For whoever ends runs: <see cref="WebhookOutbox"/>.</summary>
    public static IServiceCollection AddWebhookOutbox(this IServiceCollection services)
    {
        services.AddWebhookSecrets();
        services.TryAddSingleton<WebhookOutbox>();
        return services;
    }
}
