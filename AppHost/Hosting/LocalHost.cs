using Microsoft.Extensions.Configuration;

namespace Darkroom.AppHost.Hosting;

/// <summary>Aspire's builder with what it wants to be told, where no launch profile and no CLI does.</summary>
internal static class LocalHost
{
    private static readonly Dictionary<string, string?> Defaults = new()
    {
        // Plain HTTP on loopback: a development certificate that nobody trusts helps nobody. 0: any free port.
        ["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true",
        ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = "http://localhost:0",
        ["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = "http://localhost:0",
        // It would ask the package feed at every start.
        ["ASPIRE_VERSION_CHECK_DISABLED"] = "true",
        // The console is RunReport's; what goes wrong is told as well.
        ["Logging:LogLevel:Default"] = "Warning",
        // A start that is called off is no failure, and any other ends the process with its reason.
        ["Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host"] = "Critical",
        // Keys that only the dashboard's own service uses.
        ["Logging:LogLevel:Microsoft.AspNetCore.DataProtection"] = "Error",
    };

    public static IDistributedApplicationBuilder CreateBuilder(string[] args)
    {
        EnsureHome();
        var asked = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build();
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            // Whoever starts services of a data folder on one machine is developing.
            Args = string.IsNullOrEmpty(asked["DOTNET_ENVIRONMENT"]) ? ["--environment", "Development", .. args] : args,
            DisableDashboard = !HostSettings.WantsDashboard(asked),
            DashboardApplicationName = "Darkroom",
        });
        // What the environment, a launch profile or the command line says goes before.
        builder.Configuration.AddInMemoryCollection(Defaults.Where(setting => string.IsNullOrEmpty(builder.Configuration[setting.Key])));
        return builder;
    }

    /// <summary>Aspire's orchestrator dies without a home folder, and Aspire then waits for it for ever.</summary>
    private static void EnsureHome()
    {
        if (OperatingSystem.IsWindows() || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("HOME"))) return;
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
#pragma warning disable RS0030 // For children that this runtime starts it does what it should.
        Environment.SetEnvironmentVariable("HOME", home.Length > 0 && Directory.Exists(home) ? home : Path.GetTempPath());
#pragma warning restore RS0030
    }
}
