using System.Collections.Concurrent;
using System.Diagnostics;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Hosting;
using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Trace;

namespace Darkroom.Tests.ServiceDefaults;

/// <summary>Pollers' commands start no traces; the same command within a request is part of its trace.</summary>
public sealed class QuietTracesTests
{
    [Fact]
    public async Task Commands_are_traced_within_an_activity_and_nowhere_else()
    {
        var traced = new ConcurrentQueue<string?>();
        var mark = Guid.NewGuid().ToString("N");
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Npgsql" or nameof(QuietTracesTests),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity => traced.Enqueue(activity.GetTagItem("db.query.text") as string ?? activity.GetTagItem("db.statement") as string),
        };
        ActivitySource.AddActivityListener(listener);
        using var source = new ActivitySource(nameof(QuietTracesTests));
        await using var database = new NpgsqlDataSourceBuilder(await TestPostgres.ConnectionStringAsync()).TraceWithinActivities().Build();

        await ExecuteAsync($"select 'polled {mark}'");
        using (source.StartActivity("request"))
            await ExecuteAsync($"select 'asked {mark}'");

        Assert.DoesNotContain($"select 'polled {mark}'", traced);
        Assert.Contains($"select 'asked {mark}'", traced);

        async Task ExecuteAsync(string sql)
        {
            await using var command = database.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }
    }

    [Fact]
    public async Task Http_calls_are_traced_within_an_activity_and_nowhere_else()
    {
        await using var server = await ImageServer.StartAsync();
        var traced = new ConcurrentQueue<string?>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "System.Net.Http",
            ActivityStopped = activity =>
            {
                if (activity.Recorded)
                    traced.Enqueue(activity.GetTagItem("url.full") as string);
            },
        };
        ActivitySource.AddActivityListener(listener);
        using var source = new ActivitySource(nameof(QuietTracesTests) + ".Http");
        using var provider = Sdk.CreateTracerProviderBuilder().AddSource(source.Name).AddHttpClientInstrumentation(QuietTraces.TraceWithinActivities).Build();
        using var client = new HttpClient();

        await client.GetAsync(server.Good(1));
        using (source.StartActivity("request"))
            await client.GetAsync(server.Good(2));

        Assert.DoesNotContain(server.Good(1), traced);
        Assert.Contains(server.Good(2), traced);
    }
}
