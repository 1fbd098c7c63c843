using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Darkroom.Configuration;

public static class SettingsExtensions
{
    /// <summary>
    /// Binds options to a section and checks them at start. A setting is obeyed or refused: old names and durations that could be
    /// misread are refused here, values out of range by the data annotations.
    /// </summary>
    public static IServiceCollection AddSettings<TOptions>(this IServiceCollection services, string section)
        where TOptions : class
    {
        services.AddOptions<TOptions>()
            // Before binding, which would obey what is refused here.
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
        if (problems.Count > 0) throw new OptionsValidationException(Options.DefaultName, typeof(TOptions), problems);
    }
}
