using Darkroom.Queue;
using Darkroom.Queue.Maintenance;

namespace Darkroom.Worker.Queue;

/// <summary>Adds the queue and its background services to a worker.</summary>
internal static class QueueWorkerServices
{
    /// <summary>
    /// Register it after the process lease and before the services that claim images. Services stop in reverse order: first the claimers,
    /// then the feeder, then the recorder after writing the last outcomes. Finally, the remaining claims are handed back.
    /// </summary>
    public static IHostApplicationBuilder AddImageQueueServices(this IHostApplicationBuilder builder)
    {
        builder.AddImageQueue();
        builder.Services.AddSingleton<OfferRepeater>();
        builder.Services.AddHostedService<LostClaimReturner>();
        builder.Services.AddHostedService<LeaseRescuer>();
        builder.Services.AddHostedService<DeadProcessCleaner>();
        builder.Services.AddHostedService<QueueRefiller>();
        builder.Services.AddHostedService<StaleOfferPusher>();
        builder.Services.AddHostedService<QueueSampler>();
        builder.Services.AddHostedService<RecorderService>();
        builder.Services.AddHostedService<FeederService>();
        return builder;
    }
}
