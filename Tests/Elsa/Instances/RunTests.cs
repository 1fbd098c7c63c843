using System.Collections.Concurrent;
using System.Text.Json;
using Darkroom.Data;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using Microsoft.AspNetCore.SignalR.Client;

namespace Darkroom.Tests.Elsa.Instances;

/// <summary>A run of the whole product, seen through the API that Studio calls.</summary>
public sealed class RunTests : IAsyncLifetime
{
    private const string Body = "Workflow1:Flowchart1:fan-out:body";

    private DarkroomSystem _system = null!;

    private HttpClient Studio => _system.Client.Http;

    public async Task InitializeAsync() => _system = await DarkroomSystem.StartAsync();

    public async Task DisposeAsync() => await _system.DisposeAsync();

    [Fact]
    public async Task A_run_shows_counts_failures_and_journal_while_it_lasts_and_afterwards()
    {
        var (client, images) = (Studio, _system.Images);
        images.CloseGate();
        var csv = ProductCsv.Of(
            [images.Good(1), images.Good(2), images.Good(3), images.Missing(4)],
            [images.Good(5), images.Broken(6), images.Flaky(7)],
            [images.Good(8), images.Missing(9), images.Good(10), images.Good(11)],
            [images.Gated(12), images.Gated(13), images.Gated(14)]);
        var request = await _system.Client.UploadAsync(csv);
        await request.ReachAsync(11);

        // The list names the run by its file.
        var (items, total) = await client.SearchAsync(new { correlationId = request.Id });
        Assert.Equal(1, total);
        var listed = Assert.Single(items);
        Assert.Equal("products.csv", listed.Text("name"));
        Assert.Equal(("Running", "Suspended"), (listed.Text("status"), listed.Text("subStatus")));
        Assert.Equal(3, listed.Number("incidentCount"));
        var id = listed.Text("id");

        // During the run: the fan-out waits, three images are in progress, completed steps are counted.
        var report = await client.ReportAsync(id);
        Assert.Equal((1, 0, 1), Counts(report["fan-out"]));
        Assert.True(report["fan-out"].GetProperty("isBlocked").GetBoolean());
        Assert.Equal(8, report["fan-out"].GetProperty("metadata").Number("Succeeded"));
        Assert.Equal(3, report["fan-out"].GetProperty("metadata").Number("Running"));
        Assert.Equal((14, 8, 3), Counts(report["body"]));
        var running = await client.ElsaAsync($"/workflow-instances/{id}");
        var bookmark = Assert.Single(running.GetProperty("workflowState").GetProperty("bookmarks").EnumerateArray());
        Assert.Equal("Workflow1:Flowchart1:fan-out", bookmark.Text("activityNodeId"));

        // A viewer is notified of what workers in other processes do.
        var events = new ConcurrentQueue<string>();
        var done = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var hub = await client.ConnectAsync();
        hub.On<JsonElement>("WorkflowInstanceUpdatedAsync", message => events.Enqueue("instance " + message.Text("workflowInstanceId")));
        hub.On<JsonElement>("WorkflowExecutionLogUpdatedAsync", _ => events.Enqueue("journal"));
        hub.On<JsonElement>("ActivityExecutionLogUpdatedAsync", stats =>
        {
            if (ElsaClient.ById(stats).TryGetValue("notify", out var notify) && Counts(notify) == (1, 1, 0))
                done.TrySetResult(stats);
        });
        await hub.InvokeAsync("ObserveInstanceAsync", id);
        images.OpenGate();
        var last = await done.Task.WaitAsync(Eventually.Patience);
        await request.EndAsync();
        Assert.Equal((14, 11, 0), Counts(ElsaClient.ById(last)["body"]));
        await Eventually.GetAsync(() => Task.FromResult(events.Contains("instance " + id)), seen => seen, "The viewer is notified");
        Assert.Contains("journal", events);

        // Afterwards: each activity of the body with how many images completed and failed there.
        report = await client.ReportAsync(id);
        Assert.Equal((1, 1, 0), Counts(report["fan-out"]));
        Assert.Equal((14, 11, 0), Counts(report["body"]));
        Assert.Equal((14, 12, 0), Counts(report["download"]));
        Assert.Equal((12, 12, 0), Counts(report["compress"]));
        Assert.Equal((12, 11, 0), Counts(report["store-image"]));
        Assert.True(report["download"].GetProperty("isFaulted").GetBoolean());
        Assert.Equal(2, report["download"].Number("aggregateFaultCount"));
        Assert.Equal(1, report["download"].GetProperty("metadata").Number("Retried"));
        var only = await client.ReportAsync(id, $"{Body}:download");
        Assert.Equal("download", Assert.Single(only).Key);

        // The incidents are the failed images, in our own words.
        var ended = await client.ElsaAsync($"/workflow-instances/{id}");
        Assert.Equal(("Finished", "Finished"), (ended.Text("status"), ended.Text("subStatus")));
        var incidents = ended.GetProperty("workflowState").GetProperty("incidents").EnumerateArray().ToList();
        Assert.Equal(3, incidents.Count);
        Assert.Equal($"{Body}:download", incidents[0].Text("activityNodeId"));
        Assert.StartsWith("Row 1, image 4: ", incidents[0].Text("message"), StringComparison.Ordinal);
        Assert.Equal("not_found", incidents[0].GetProperty("exception").Text("type"));
        Assert.Empty(ended.GetProperty("workflowState").GetProperty("bookmarks").EnumerateArray());
        Assert.Equal(11, ended.GetProperty("workflowState").GetProperty("output").Number("ImagesSucceeded"));

        await AssertJournalAsync(id);
        await AssertRecordsAsync(id);

        // No row per image: only the workflow's executions, and one count per activity of the body.
        Assert.Equal(5, await CountAsync($"activity_executions where instance_id = '{id}'"));
        Assert.Equal(5, await CountAsync($"fan_out_counts where instance_id = '{id}'"));
    }

    private async Task AssertJournalAsync(string id)
    {
        var journal = await Studio.JournalAsync(id);
        Assert.Equal(Enumerable.Range(1, journal.Count).Select(n => (long)n), journal.Select(entry => entry.Number("sequence")));
        Assert.Equal(
            [
                "Workflow1 Started",
                "upload Started", "upload Completed",
                "validate Started", "validate Completed",
                "fan-out Started", "fan-out Suspended",
                "download Faulted", "store-image Faulted", "download Faulted",
                "fan-out Resumed", "fan-out Completed",
                "aggregate Started", "aggregate Completed",
                "notify Started", "notify Completed",
                "Workflow1 Completed",
            ],
            journal.Select(entry => $"{entry.Text("activityId")} {entry.Text("eventName")}"));
        var failed = journal.First(entry => entry.Text("eventName") == "Faulted");
        Assert.Equal(1, failed.GetProperty("activityState").Number("Row"));
        Assert.Equal(4, failed.GetProperty("activityState").Number("Position"));
        var completed = journal.First(entry => entry.Text("activityId") == "fan-out" && entry.Text("eventName") == "Completed");
        Assert.Equal("Done", completed.GetProperty("payload").GetProperty("Outcomes")[0].GetString());
        Assert.Equal(3, completed.GetProperty("activityState").Number("MaxAttempts"));

        var download = await Studio.JournalAsync(id, new { activityNodeIds = new[] { $"{Body}:download" } });
        Assert.Equal(2, download.Count);
        var activities = await Studio.JournalAsync(id, new { excludedActivityTypes = new[] { "Elsa.Workflow", "Elsa.Flowchart" } });
        Assert.Equal(journal.Count - 2, activities.Count);
        var page = await Studio.PostJsonAsync($"/workflow-instances/{id}/journal?skip=1&take=2", new { filter = (object?)null });
        Assert.Equal(journal.Count, page.GetProperty("totalCount").GetInt32());
        Assert.Equal("upload", page.GetProperty("items")[0].Text("activityId"));
    }

    private async Task AssertRecordsAsync(string id)
    {
        var client = Studio;
        var list = await client.ElsaAsync($"/activity-executions/list?WorkflowInstanceId={id}&ActivityNodeId={Body}:download");
        var record = Assert.Single(list.GetProperty("items").EnumerateArray());
        Assert.Equal(("Completed", 2L), (record.Text("status"), record.Number("aggregateFaultCount")));
        var images = record.GetProperty("payload").GetProperty("FailedImages").EnumerateArray().ToList();
        Assert.Equal([(1L, 4L), (3L, 2L)], images.Select(image => (image.Number("Row"), image.Number("Position"))));

        var summaries = await client.ElsaAsync($"/activity-execution-summaries/list?WorkflowInstanceId={id}&ActivityNodeId=Workflow1:Flowchart1:fan-out");
        var fanOut = Assert.Single(summaries.GetProperty("items").EnumerateArray());
        Assert.Equal(3, fanOut.Number("aggregateFaultCount"));
        Assert.Equal(11, fanOut.GetProperty("payload").GetProperty("Images").Number("Succeeded"));

        foreach (var execution in new[] { record, fanOut })
        {
            var byId = await client.ElsaAsync($"/activity-executions/by-id?id={execution.Text("id")}");
            Assert.Equal(execution.Text("activityNodeId"), byId.Text("activityNodeId"));
        }

        var stack = await client.ElsaAsync($"/activity-executions/{record.Text("id")}/call-stack");
        Assert.Equal(["fan-out", "body", "download"], stack.GetProperty("items").EnumerateArray().Select(frame => frame.Text("activityId")));
        Assert.Equal(0, (await client.ElsaAsync($"/workflow-instances/{id}/variables")).GetProperty("count").GetInt32());
        Assert.Equal("Finished", (await client.ElsaAsync($"/workflow-instances/{id}/execution-state")).Text("workflowSubStatus"));
    }

    [Fact]
    public async Task A_run_cancelled_from_its_list_ends_its_request_and_shows_what_it_interrupted()
    {
        _system.Images.CloseGate();
        var request = await _system.Client.UploadAsync(ProductCsv.Of([_system.Images.Good(1), _system.Images.Gated(2)]));
        await request.ReachAsync(1);
        var id = Assert.Single((await Studio.SearchAsync()).Items).Text("id");

        Assert.True((await Studio.PostJsonAsync($"/cancel/workflow-instances/{id}")).GetProperty("cancelled").GetBoolean());
        Assert.False((await Studio.PostJsonAsync($"/cancel/workflow-instances/{id}")).GetProperty("cancelled").GetBoolean());
        _system.Images.OpenGate();

        Assert.Equal("cancelled", (await request.StatusAsync()).Text("status"));
        Assert.Equal("Cancelled", (await Studio.ElsaAsync($"/workflow-instances/{id}")).Text("subStatus"));
        var journal = await Studio.JournalAsync(id);
        Assert.Equal(
            ["fan-out Canceled", "Workflow1 Canceled"],
            journal.TakeLast(2).Select(entry => $"{entry.Text("activityId")} {entry.Text("eventName")}"));
        Assert.Equal((1, 0, 0), Counts((await Studio.ReportAsync(id))["fan-out"]));
    }

    private static (long Started, long Completed, long Uncompleted) Counts(JsonElement stat) =>
        (stat.Number("startedCount"), stat.Number("completedCount"), stat.Number("uncompletedCount"));

    private async Task<long> CountAsync(string table) =>
        (long)(await _system.Database.DataSource.Sql($"select count(*) from {table}").ExecuteScalarAsync())!;
}
