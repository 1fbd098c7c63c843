using Darkroom.Telemetry;
using Darkroom.Webhooks;

namespace Darkroom.Worker.Webhooks;

internal static class WebhooksExtensions
{
    /// <summary>Sends webhooks. Register the process lease first: it must stop last.</summary>
    public static IHostApplicationBuilder AddWebhooks(this IHostApplicationBuilder builder)
    {
        builder.Services.AddTelemetry();
        builder.Services.AddWebhookSending();
        builder.Services.AddHostedService<WebhookDispatcher>();
        return builder;
    }
}
