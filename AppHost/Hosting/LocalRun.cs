using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Darkroom.AppHost.Hosting;

/// <summary>What a local run has and a deployment does not: a data folder with secrets, and well-known ports.</summary>
internal sealed class LocalRun : IDisposable
{
    private LocalRun(DataFolder data, HostSettings settings) => (Data, Settings) = (data, settings);

    public DataFolder Data { get; }

    public HostSettings Settings { get; }

    /// <summary>The API key that works without any set-up; null outside development, where the API would reject it.</summary>
    public string? DevelopmentKey { get; private init; }

    /// <summary>The dashboard's URL including its login token; null if there is no dashboard.</summary>
    public string? DashboardLink { get; private init; }

    /// <summary>Exit code of this process: 1 if the start failed and there is no dashboard to fix it from.</summary>
    public int ExitCode { get; set; }

    /// <summary>Locks the data folder and validates the settings. Returns null when publishing a manifest, which must not contain anything of this machine.</summary>
    /// <exception cref="SettingException">Another host uses the folder, or a setting is invalid.</exception>
    public static LocalRun? Open(IDistributedApplicationBuilder builder)
    {
        if (builder.ExecutionContext.IsPublishMode)
            return null;
        var data = DataFolder.Open(builder.Configuration);
        Console.WriteLine($"Starting Darkroom. Data folder: {data.Path}. Press Ctrl+C to stop.");
        try
        {
            new PreviousRun(data, TimeProvider.System, Console.Out).WaitForExit();
            // Aspire generates a token if the dashboard is enabled and requires one.
            var token = builder.Configuration["AppHost:BrowserToken"];
            var settings = HostSettings.Read(builder.Configuration, hasDashboard: token is not null);
            if (token is not null)
            {
                if (string.IsNullOrEmpty(builder.Configuration["ASPIRE_DASHBOARD_FRONTEND_BROWSERTOKEN"]))
                    builder.Configuration["AppHost:BrowserToken"] = token = data.Secrets.DashboardToken;
                builder.Configuration["ASPNETCORE_URLS"] = settings.DashboardUrl;
            }

            var run = new LocalRun(data, settings)
            {
                DevelopmentKey = builder.Environment.IsDevelopment() ? data.Secrets.DevelopmentKey : null,
                DashboardLink = token is null ? null : $"{settings.DashboardUrl}/login?t={token}",
            };
            builder.Services.AddSingleton(run);
            return run;
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    /// <summary>How long this process has been running.</summary>
    public static TimeSpan Elapsed =>
        TimeProvider.System.GetUtcNow().UtcDateTime - Process.GetCurrentProcess().StartTime.ToUniversalTime();

    /// <summary>Prints a status line to the console.</summary>
    public static void Print(string resource, string text) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {Elapsed.TotalSeconds,5:0.0} s  {resource,-16} {text}"));

    public void Dispose() => Data.Dispose();
}
