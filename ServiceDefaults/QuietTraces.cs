using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OpenTelemetry.Instrumentation.Http;
using OpenTelemetry.Trace;

namespace Microsoft.Extensions.Hosting;

/// <summary>
/// Calls to Postgres, Redis and HTTP servers (S3 is one) are traced where they are part of something: a request, a step of a workflow.
/// Pollers make several a second and begin no trace; each of their calls would be a trace of its own and bury those that matter.
/// </summary>
public static class QuietTraces
{
    /// <summary>Leaves out commands to Postgres outside any activity.</summary>
    public static NpgsqlDataSourceBuilder TraceWithinActivities(this NpgsqlDataSourceBuilder database) =>
        database.ConfigureTracing(tracing => tracing
            .ConfigureCommandFilter(_ => IsTraced(Activity.Current))
            .ConfigureBatchFilter(_ => IsTraced(Activity.Current))
            .ConfigureCopyOperationFilter(_ => IsTraced(Activity.Current))
            .EnablePhysicalOpenTracing(false));

    /// <summary>Redis as Aspire has it, but without traces of commands outside any activity.</summary>
    public static void AddQuietRedisClient(this IHostApplicationBuilder builder, string connectionName)
    {
        // Aspire brings a copy of the instrumentation of its own, whose filter nobody can reach.
        builder.AddRedisClient(
            connectionName,
            settings => settings.DisableTracing = true,
            // INFO says whether the server may evict what is queued; to the client that is a command of administrators.
            options => options.AllowAdmin = true);
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
