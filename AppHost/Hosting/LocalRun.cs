using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.AppHost.Hosting;

/// <summary>What a run on this machine has, and a deployment has not: a data folder with its secrets, and ports that people know.</summary>
internal sealed class LocalRun : IDisposable
{
    private LocalRun(DataFolder data, HostSettings settings) => (Data, Settings) = (data, settings);

    public DataFolder Data { get; }

    public HostSettings Settings { get; }

    /// <summary>The dashboard, with the token that opens it; null: there is none.</summary>
    public string? DashboardLink { get; private init; }

    /// <summary>Of this process: 1 once something failed that nobody is there to put right.</summary>
    public int ExitCode { get; set; }

    /// <summary>Takes the data folder and checks the settings. Null when a manifest is written: then nothing of this machine is wanted.</summary>
    /// <exception cref="SettingException">Another host holds the folder, or a setting is wrong.</exception>
    public static LocalRun? Open(IDistributedApplicationBuilder builder)
    {
        if (builder.ExecutionContext.IsPublishMode) return null;
        var data = DataFolder.Open(builder.Configuration);
        Console.WriteLine($"Darkroom starts. Its data lies in {data.Path}; Ctrl+C stops it.");
        try
        {
            new PreviousRun(data, TimeProvider.System, Console.Out).WaitForItsEnd();
            // Aspire makes a token where there is a dashboard that asks for one.
            var token = builder.Configuration["AppHost:BrowserToken"];
            var settings = HostSettings.Read(builder.Configuration, hasDashboard: token is not null);
            if (token is not null)
            {
                if (string.IsNullOrEmpty(builder.Configuration["ASPIRE_DASHBOARD_FRONTEND_BROWSERTOKEN"]))
                    builder.Configuration["AppHost:BrowserToken"] = token = data.Secrets.DashboardToken;
                builder.Configuration["ASPNETCORE_URLS"] = settings.DashboardUrl;
            }

            var run = new LocalRun(data, settings) { DashboardLink = token is null ? null : $"{settings.DashboardUrl}/login?t={token}" };
            builder.Services.AddSingleton(run);
            return run;
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    /// <summary>How long this process has run.</summary>
    public static TimeSpan Elapsed =>
        TimeProvider.System.GetUtcNow().UtcDateTime - Process.GetCurrentProcess().StartTime.ToUniversalTime();

    /// <summary>One line of what happens, for the person at the console.</summary>
    public static void Say(string resource, string text) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {Elapsed.TotalSeconds,5:0.0} s  {resource,-16} {text}"));

    public void Dispose() => Data.Dispose();
}
