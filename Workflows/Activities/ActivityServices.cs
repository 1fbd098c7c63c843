using Darkroom.Engine;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Activities;

public static class ActivityServices
{
    /// <summary>Adds every activity that a definition may name.</summary>
    public static IServiceCollection AddActivities(this IServiceCollection services)
    {
        services.AddOptions<ImageWorkOptions>().BindConfiguration("ImageWork").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<ImageSlots>();

        services.AddSingleton<WorkflowActivity, CsvUploaded>();
        services.AddSingleton<WorkflowActivity, ValidateCsv>();
        services.AddSingleton<WorkflowActivity, FanOutImages>();
        services.AddSingleton<WorkflowActivity, WriteOutputCsv>();
        services.AddSingleton<WorkflowActivity, NotifyWebhook>();
        services.AddSingleton<WorkflowActivity, FailRequest>();

        services.AddSingleton<ImageActivity, DownloadImage>();
        services.AddSingleton<ImageActivity, StoreOriginal>();
        services.AddSingleton<ImageActivity, CompressImage>();
        services.AddSingleton<ImageActivity, StoreImage>();
        return services;
    }
}
