using Darkroom.Egress;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Darkroom.Images;

/// <summary>Brings images to a service: egress alone, or fetching and the codec too.</summary>
public static class ImageServices
{
    /// <summary>The egress guard, for services that only check URLs or call webhooks.</summary>
    public static IServiceCollection AddEgress(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<EgressOptions>().BindConfiguration("Egress").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<INameResolver, SystemNameResolver>();
        services.TryAddSingleton<EgressGuard>();
        return services;
    }

    /// <summary>Fetching and processing images, egress included.</summary>
    public static IServiceCollection AddImages(this IServiceCollection services)
    {
        services.AddEgress();
        services.AddOptions<ImageOptions>().BindConfiguration("Images").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<ImageWorkOptions>().BindConfiguration("ImageWork").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<ImageSlots>();
        services.TryAddSingleton<ImageFetcher>();
        services.TryAddSingleton<PixelBudget>();
        services.TryAddSingleton<CodecThreads>();
        services.TryAddSingleton<IImageCodec, VipsCodec>();
        return services;
    }
}
