using Darkroom.Configuration;
using Darkroom.Egress;
using Darkroom.Engine;
using Darkroom.Requests;
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
        services.AddEgress();
        services.AddSettings<HttpRequestOptions>("HttpRequests");
        services.TryAddSingleton<ProductLoader>();

        services.AddActivity<CsvUploaded>();
        services.AddActivity<ValidateCsv>();
        services.AddActivity<FanOutImages>();
        services.AddActivity<WriteOutputCsv>();
        services.AddActivity<NotifyWebhook>(RefuseForbiddenUrl);
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
        services.AddActivity<SendHttpRequest>(RefuseForbiddenUrl);
        services.AddActivity<Delay>();
        services.AddActivity<Fault>();
        services.AddActivity<Finish>();
        services.AddActivity<Complete>();
        return services;
    }

    /// <summary>
    /// Keeps a workflow from being published with a literal URL that is never called. Not a check of the input itself: a computed URL
    /// is checked when it is called, and what is already published runs on.
    /// </summary>
    private static ActivityDescriptor RefuseForbiddenUrl(ActivityDescriptor descriptor, IServiceProvider services)
    {
        var guard = services.GetRequiredService<EgressGuard>();
        return descriptor with
        {
            Check = inputs => inputs.Find("Url") is (true, string { Length: > 0 } url) && guard.CheckUrl(url, out _) is { } refusal
                ? $"Url is refused: {refusal.Message}"
                : null,
        };
    }
}
