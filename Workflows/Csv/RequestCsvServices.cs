using Darkroom.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Csv;

public static class RequestCsvServices
{
    /// <summary>Adds <see cref="CsvValidator"/> and <see cref="OutputCsvWriter"/>, configured by the sections <c>Csv</c> and <c>OutputCsv</c>.</summary>
    public static IServiceCollection AddRequestCsv(this IServiceCollection services)
    {
        services.AddSettings<CsvLimits>("Csv");
        services.AddSettings<OutputCsvOptions>("OutputCsv");
        services.AddSingleton<CsvValidator>();
        services.AddSingleton<OutputCsvWriter>();
        return services;
    }
}
