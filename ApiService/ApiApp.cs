using Darkroom.Api.Pages;
using Darkroom.Api.Problems;

namespace Darkroom.Api;

/// <summary>The API service, put together. Tests start it in their own process.</summary>
public static class ApiApp
{
    /// <summary>Runs until the process is told to stop; or runs one command of the command line. Returns the exit code.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        await using var app = Build(args);
        await app.RunAsync();
        return 0;
    }

    /// <param name="args">Command line: configuration as <c>--Section:Name=value</c>.</param>
    /// <param name="configure">What a host in the same process adds before the services are put together.</param>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(args);
        configure?.Invoke(builder);
        builder.Services.AddProblems();
        builder.Services.AddPages();

        var app = builder.Build();
        app.UseProblems();
        app.MapPages();
        return app;
    }
}
