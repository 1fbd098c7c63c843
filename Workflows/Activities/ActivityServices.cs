using Darkroom.Configuration;
using Darkroom.Engine;
using Darkroom.Queue;
using Darkroom.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Darkroom.Activities;

public static class ActivityServices
{
    /// <summary>Adds all activities that a workflow definition may use.</summary>
    public static IServiceCollection AddActivities(this IServiceCollection services)
    {
        services.AddTelemetry();
        services.AddSettings<HttpRequestOptions>("HttpRequests");
        services.TryAddSingleton<DecodeGate>();

        services.AddActivity<CsvUploaded>();
        services.AddActivity<ValidateCsv>();
        services.AddActivity<FanOutImages>();
        services.AddActivity<WriteOutputCsv>();
        services.AddActivity<NotifyWebhook>();
        services.AddActivity<FailRequest>();

        services.AddActivity<DownloadImage>();
        services.AddActivity<StoreOriginal>();
        services.AddActivity<CompressImage>();
        services.AddActivity<ResizeImage>();
        services.AddActivity<ConvertImage>();
        services.AddActivity<StoreImage>();

        services.AddActivity<FlowDecision>();
        services.AddActivity<If>();
        services.AddActivity<SetVariable>();
        services.AddActivity<WriteLine>();
        services.AddActivity<SendHttpRequest>();
        services.AddActivity<Delay>();
        services.AddActivity<Fault>();
        services.AddActivity<Finish>();
        services.AddActivity<Complete>();
        return services;
    }
}
