using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Darkroom.Configuration;

public static class SettingsExtensions
{
    /// <summary>
    /// Binds options to a section and validates them at startup. Old names and ambiguous durations are rejected here; out-of-range
    /// values are rejected by the data annotations.
    /// </summary>
    public static IServiceCollection AddSettings<TOptions>(this IServiceCollection services, string section)
        where TOptions : class
    {
        services.AddOptions<TOptions>()
            // Before binding, which would accept the values rejected here.
            .Configure<IConfiguration>((options, configuration) => Check(options, configuration.GetSection(section)))
            .BindConfiguration(section)
            .ValidateDataAnnotations()
            .ValidateOnStart();
        return services;
    }

    private static void Check<TOptions>(TOptions options, IConfigurationSection section)
        where TOptions : class
    {
        List<string> problems = [.. RenamedSettings.Problems(options, section), .. Durations.Problems(options, section)];
        if (problems.Count > 0)
            throw new OptionsValidationException(Options.DefaultName, typeof(TOptions), problems);
    }
}
