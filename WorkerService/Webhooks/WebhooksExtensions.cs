using Darkroom.Telemetry;
using Darkroom.Webhooks;

namespace Darkroom.Worker.Webhooks;

internal static class WebhooksExtensions
{
    /// <summary>Adds the webhook dispatcher. Register the process lease first, because it must stop last.</summary>
    public static IHostApplicationBuilder AddWebhooks(this IHostApplicationBuilder builder)
    {
        builder.Services.AddTelemetry();
        builder.Services.AddWebhookSending();
        builder.Services.AddHostedService<WebhookDispatcher>();
        return builder;
    }
}
