using Darkroom.Configuration;
using Darkroom.Egress;
using Darkroom.Images.Decoders;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Darkroom.Images;

public static class ImageServices
{
    /// <summary>Adds fetching and processing of images, including the egress guard.</summary>
    public static IServiceCollection AddImages(this IServiceCollection services)
    {
        services.AddEgress();
        services.AddSettings<ImageOptions>("Images");
        services.AddSettings<ImageWorkOptions>("ImageWork");
        services.TryAddSingleton(provider => new DownloadSlots(
            provider.GetRequiredService<IOptions<ImageWorkOptions>>().Value,
            provider.GetRequiredService<IOptions<EgressOptions>>().Value.MinBytesPerSecond,
            provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<ImageFetcher>();
        services.TryAddSingleton<PixelBudget>();
        services.AddSettings<DecoderOptions>("Decoders");
        services.TryAddSingleton(_ => DecoderProgram.Own());
        services.TryAddSingleton<DecoderPool>();
        services.AddHostedService(provider => provider.GetRequiredService<DecoderPool>());
        services.TryAddSingleton<IImageCodec, DecoderCodec>();
        services.AddHealthChecks().AddCheck<DecoderHealthCheck>("decoders");
        return services;
    }
}
