using Darkroom.Activities;
using Darkroom.Csv;
using Darkroom.Data;
using Darkroom.Images;
using Darkroom.Leases;
using Darkroom.Protection;
using Darkroom.Retention;
using Darkroom.Runs;
using Darkroom.Storage;
using Darkroom.Webhooks;
using Darkroom.Worker.Images;
using Darkroom.Worker.Instances;
using Darkroom.Worker.Queue;
using Darkroom.Worker.Webhooks;

namespace Darkroom.Worker;

/// <summary>Builds the worker service. Tests run it in their own process.</summary>
public static class WorkerApp
{
    /// <param name="args">Command line: configuration as <c>--Section:Name=value</c>.</param>
    /// <param name="configure">Additional configuration, applied before the services are registered.</param>
    public static IHost Build(string[] args, Action<IHostApplicationBuilder>? configure = null)
    {
        var builder = Host.CreateApplicationBuilder(args);
        configure?.Invoke(builder);

        builder.AddServiceDefaults();
        builder.AddNpgsqlDataSource("darkroom", configureDataSourceBuilder: database => DatabaseSessions.Configure(database.TraceWithinActivities()));
        builder.AddQuietRedisClient("redis");
        builder.AddObjectStore();

        builder.Services.AddBackgroundHealthCheck();
        builder.Services.AddDatabaseStartup();
        builder.Services.AddSecretStartup();
        builder.AddImageLinks();
        builder.Services.AddProcessLease("worker");
        builder.Services.AddWorkflowEngine();
        builder.Services.AddActivities();
        builder.Services.AddRequestCsv();
        builder.Services.AddImages();
        builder.Services.AddWebhookOutbox();

        builder.Services.AddObjectSweep();

        // Services stop in reverse order: those that claim work first, those that record results last.
        builder.AddImageQueueServices();
        builder.Services.AddWorkflowInstances();
        builder.Services.AddImageWork();
        builder.AddWebhooks();
        return builder.Build();
    }
}
