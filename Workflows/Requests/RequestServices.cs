using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Requests;

public static class RequestServices
{
    /// <summary>Adds the stores that read requests and their images.</summary>
    public static IServiceCollection AddRequestStores(this IServiceCollection services)
    {
        services.AddSingleton<RequestStore>();
        services.AddSingleton<RequestImageStore>();
        return services;
    }
}
