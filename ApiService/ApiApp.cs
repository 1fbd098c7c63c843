using Darkroom.Activities;
using Darkroom.Api.Access;
using Darkroom.Api.Elsa;
using Darkroom.Api.Links;
using Darkroom.Api.Pages;
using Darkroom.Api.Problems;
using Darkroom.Api.RateLimits;
using Darkroom.Api.Reference;
using Darkroom.Api.Requests;
using Darkroom.Api.Server;
using Darkroom.Api.Studio;
using Darkroom.Api.Webhooks;
using Darkroom.Data;
using Darkroom.Egress;
using Darkroom.Images;
using Darkroom.Leases;
using Darkroom.Protection;
using Darkroom.Runs;
using Darkroom.Storage;
using Darkroom.Webhooks;

namespace Darkroom.Api;

/// <summary>The API service, put together. Tests start it in their own process.</summary>
public static class ApiApp
{
    /// <summary>Runs one command of the command line, or serves until the process is told to stop. Returns the exit code.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        if (Help.IsRequested(args))
            return Help.Write(Console.Out);
        if (args is ["keys", .. var command])
            return await KeysCommand.RunAsync(command, WebApplication.CreateBuilder(), Console.Out, Console.Error, CancellationToken.None);
        await using var app = Build(args);
        await app.RunUntilStoppedAsync();
        return 0;
    }

    /// <param name="args">Command line: configuration as <c>--Section:Name=value</c>.</param>
    /// <param name="configure">What a host in the same process adds before the services are put together.</param>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(args);
        configure?.Invoke(builder);
        builder.AddServiceDefaults();
        builder.AddNpgsqlDataSource("darkroom", configureDataSourceBuilder: database => ApiServer.ConfigureFastFail(database.TraceWithinActivities()));
        builder.AddObjectStore();

        builder.Services.AddBackgroundHealthCheck();

        // Hosted services start in this order: the schema, the encryption of secrets, then this process' lease, then what needs them.
        builder.Services.AddDatabaseStartup();
        builder.Services.AddSecretStartup();
        builder.Services.AddProcessLease("api");
        builder.Services.AddWorkflowEngine();
        builder.Services.AddActivities();
        builder.Services.AddEgress();
        builder.Services.AddWebhookOutbox();
        builder.AddImageLinks();
        builder.AddAccess();
        builder.AddRateLimits();
        builder.Services.AddApiServer();
        builder.Services.AddProblems();
        builder.Services.AddRequests();
        builder.Services.AddWebhooks();
        builder.Services.AddReference();
        builder.Services.AddElsaApi();
        builder.Services.AddPages();
        builder.Services.AddStudio();

        var app = builder.Build();
        app.UseCloseAfterUnsentBodies();
        // Everything behind it asks who calls, and how.
        app.UseForwardedHeaders();
        app.UseSecurityHeaders();
        app.UseProblems();
        app.UseRouting();
        app.UsePrivateResponses();
        // Before authentication: that asks the database too.
        app.UseRequestTimeouts();
        app.UseAuthentication();
        app.UseRateLimits();
        app.UseAuthorization();
        app.MapDefaultEndpoints();
        app.MapRequests();
        app.MapWebhooks();
        app.MapImageLinks();
        app.MapElsaApi();
        app.MapReference();
        app.MapPages();
        app.MapStudio();
        return app;
    }
}
