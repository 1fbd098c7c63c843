using Aspire.Hosting.ApplicationModel;
using Darkroom.AppHost.Local.Processes;

namespace Darkroom.AppHost.Local.Run;

/// <summary>What a service finds in its environment.</summary>
internal static class ProjectEnvironment
{
    /// <summary>These are about this host, not about its children.</summary>
    private static readonly string[] NotInherited =
    [
        "ASPNETCORE_URLS", "ASPNETCORE_HTTP_PORTS", "ASPNETCORE_HTTPS_PORTS", "ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT",
        "DOTNET_LAUNCH_PROFILE", "DARKROOM_DATA",
    ];

    public static async Task<Dictionary<string, string>> BuildAsync(
        ProjectResource project, string instance, bool development, bool color, CancellationToken cancellation)
    {
        var environment = ChildEnvironment.Inherited();
        foreach (var name in NotInherited) environment.Remove(name);
        // Strings to what this service does not refer to are none of its business.
        foreach (var name in environment.Keys.Where(IsConnectionString).ToList()) environment.Remove(name);

        if (project.Endpoints.Count > 0)
            environment["ASPNETCORE_URLS"] = string.Join(';', project.Endpoints.Select(endpoint => endpoint.Url));
        environment["OTEL_SERVICE_NAME"] = project.Name;
        environment["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={instance}-{Guid.NewGuid():N}";
        if (development)
        {
            // See a trace while one still remembers what one did.
            environment["OTEL_BSP_SCHEDULE_DELAY"] = "1000";
            environment["OTEL_BLRP_SCHEDULE_DELAY"] = "1000";
            environment["OTEL_METRIC_EXPORT_INTERVAL"] = "1000";
            environment["OTEL_TRACES_SAMPLER"] = "always_on";
        }

        environment["Logging__Console__FormatterName"] = "simple";
        environment["Logging__Console__FormatterOptions__SingleLine"] = "true";
        if (color) environment["DOTNET_SYSTEM_CONSOLE_ALLOW_ANSI_COLOR_REDIRECTION"] = "true";

        foreach (var apply in project.Environment) await apply(environment, cancellation);
        return environment;
    }

    private static bool IsConnectionString(string name) => name.StartsWith("ConnectionStrings__", StringComparison.OrdinalIgnoreCase);
}
