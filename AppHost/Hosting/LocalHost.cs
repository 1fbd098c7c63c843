using Microsoft.Extensions.Configuration;

namespace Darkroom.AppHost.Hosting;

/// <summary>Creates Aspire's builder with the settings that a launch profile or the Aspire CLI would otherwise supply.</summary>
internal static class LocalHost
{
    private static readonly Dictionary<string, string?> Defaults = new()
    {
        // Plain HTTP on loopback: an untrusted development certificate adds nothing. Port 0 means any free port.
        ["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true",
        ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = "http://localhost:0",
        ["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = "http://localhost:0",
        // The version check would query the package feed at every start.
        ["ASPIRE_VERSION_CHECK_DISABLED"] = "true",
        // RunReport writes to the console; besides that, only warnings and errors.
        ["Logging:LogLevel:Default"] = "Warning",
        // A cancelled start is not a failure, and any other failure ends the process with its own message.
        ["Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host"] = "Critical",
        // Warns about unencrypted keys, which only the dashboard's own service uses.
        ["Logging:LogLevel:Microsoft.AspNetCore.DataProtection"] = "Error",
    };

    public static IDistributedApplicationBuilder CreateBuilder(string[] args)
    {
        EnsureHome();
        LocalHttp.ExemptFromProxy();
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build();
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            // A local run with a data folder is development unless told otherwise.
            Args = string.IsNullOrEmpty(configuration["DOTNET_ENVIRONMENT"]) ? ["--environment", "Development", .. args] : args,
            DisableDashboard = !HostSettings.DashboardEnabled(configuration),
            DashboardApplicationName = "Darkroom",
        });
        // The environment, a launch profile and the command line take precedence.
        builder.Configuration.AddInMemoryCollection(Defaults.Where(setting => string.IsNullOrEmpty(builder.Configuration[setting.Key])));
        return builder;
    }

    /// <summary>Aspire's orchestrator crashes without a home folder, and Aspire then waits for it forever.</summary>
    private static void EnsureHome()
    {
        if (OperatingSystem.IsWindows() || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("HOME")))
            return;
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
#pragma warning disable RS0030 // Child processes started by this runtime do inherit it.
        Environment.SetEnvironmentVariable("HOME", home.Length > 0 && Directory.Exists(home) ? home : Path.GetTempPath());
#pragma warning restore RS0030
    }
}
