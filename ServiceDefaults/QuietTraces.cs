using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OpenTelemetry.Instrumentation.Http;
using OpenTelemetry.Trace;
using StackExchange.Redis;

namespace Microsoft.Extensions.Hosting;

/// <summary>
/// Traces calls to Postgres, Redis and HTTP servers (S3 among them) only as part of an activity, such as a request or a workflow step.
/// Pollers call several times a second outside any activity; each of their calls would start a new trace and drown out those that matter.
/// </summary>
public static class QuietTraces
{
    /// <summary>Does not trace Postgres commands outside an activity.</summary>
    public static NpgsqlDataSourceBuilder TraceWithinActivities(this NpgsqlDataSourceBuilder database) =>
        database.ConfigureTracing(tracing => tracing
            .ConfigureCommandFilter(_ => IsTraced(Activity.Current))
            .ConfigureBatchFilter(_ => IsTraced(Activity.Current))
            .ConfigureCopyOperationFilter(_ => IsTraced(Activity.Current))
            .EnablePhysicalOpenTracing(false));

    /// <summary>Adds Aspire's Redis client, but does not trace commands outside an activity.</summary>
    public static void AddQuietRedisClient(this IHostApplicationBuilder builder, string connectionName) =>
        builder.AddRedisClient(
            connectionName,
            isRequired: true,
            // INFO tells whether the server may evict queued items, and the client treats INFO as an admin command.
            options => options.AllowAdmin = true);

    /// <summary>
    /// The same for a service that is healthy without Redis: its health does not depend on it, and commands fail at once while
    /// there is no connection.
    /// </summary>
    public static void AddOptionalRedisClient(this IHostApplicationBuilder builder, string connectionName) =>
        builder.AddRedisClient(
            connectionName,
            isRequired: false,
            options =>
            {
                options.AbortOnConnectFail = false;
                options.BacklogPolicy = BacklogPolicy.FailFast;
                // By default up to a minute may pass between attempts.
                options.ReconnectRetryPolicy = new LinearRetry(1_000);
            });

    private static void AddRedisClient(
        this IHostApplicationBuilder builder, string connectionName, bool isRequired, Action<ConfigurationOptions> configure)
    {
        // Aspire includes its own copy of the instrumentation, whose filter cannot be configured.
        builder.AddRedisClient(
            connectionName,
            settings =>
            {
                settings.DisableTracing = true;
                settings.DisableHealthChecks = !isRequired;
            },
            configure);
        builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing
            .AddRedisInstrumentation(options => options.Filter = command => IsTraced(command.ParentActivity)));
    }

    /// <summary>Leaves out HTTP calls outside any activity, those to S3 among them.</summary>
    // By the time the filter is asked, the current activity is the call's own.
    public static void TraceWithinActivities(HttpClientTraceInstrumentationOptions calls) =>
        calls.FilterHttpRequestMessage = _ => IsTraced(Activity.Current?.Parent);

    // Health probes, and images of large requests, have an activity, but one that is not recorded.
    private static bool IsTraced(Activity? activity) => activity is { Recorded: true };
}
