using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Darkroom.Access;
using Darkroom.Data;
using Darkroom.Tests.Api;
using Darkroom.Tests.Infrastructure;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Darkroom.Tests.Elsa.Instances;

public sealed class InstanceApiTests : ApiTest
{
    private HttpClient _alice = null!;
    private HttpClient _bob = null!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        _alice = await Api.ClientAsync("alice", Scopes.WorkflowsEdit);
        _bob = await Api.ClientAsync("bob", Scopes.WorkflowsEdit);
    }

    public override async Task DisposeAsync()
    {
        _alice.Dispose();
        _bob.Dispose();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task A_list_shows_an_owner_their_own_runs_and_an_administrator_all()
    {
        var alices = await Api.InstanceOfAsync(await Alice.AcceptedAsync());
        var bobs = await Api.InstanceOfAsync(await Bob.AcceptedAsync());
        using var admin = await Api.ClientAsync("root", Scopes.Admin);

        Assert.Equal([alices], (await _alice.SearchAsync()).Items.Select(Id));
        Assert.Equal([bobs], (await _bob.SearchAsync()).Items.Select(Id));
        Assert.Equal(2, (await admin.SearchAsync()).Total);
    }

    [Fact]
    public async Task Another_owners_run_looks_exactly_like_one_that_never_existed()
    {
        var (request, instance) = await Api.FinishedAsync(Alice);
        var execution = (Guid)(await Api.Database.Sql("select id from activity_executions").ExecuteScalarAsync())!;
        foreach (var (method, path) in new[]
        {
            ("GET", "/workflow-instances/{0}"), ("GET", "/workflow-instances/{0}/variables"), ("GET", "/workflow-instances/{0}/execution-state"),
            ("GET", "/workflow-instances/{0}/export"), ("POST", "/workflow-instances/{0}/journal"),
            ("GET", "/activity-executions/list?WorkflowInstanceId={0}"), ("GET", "/activity-execution-summaries/list?WorkflowInstanceId={0}"),
            ("GET", "/activity-executions/by-id?id={1}"), ("GET", "/activity-executions/{1}/call-stack"),
            ("POST", "/cancel/workflow-instances/{0}"), ("DELETE", "/workflow-instances/{0}"),
        })
        {
            var anothers = await AskAsync(_bob, method, path, instance, execution);
            Assert.Equal(HttpStatusCode.NotFound, anothers.Status);
            Assert.Equal(anothers, await AskAsync(_bob, method, path, Guid.NewGuid(), Guid.NewGuid()));
            if (method == "GET")
                Assert.Equal(HttpStatusCode.OK, (await AskAsync(_alice, method, path, instance, execution)).Status);
        }

        await _bob.PostJsonAsync("/activity-executions/report", new { workflowInstanceId = instance }, HttpStatusCode.NotFound);
        Assert.Equal(0, (await _bob.PostJsonAsync("/bulk-actions/delete/workflow-instances/by-id", new { ids = new[] { instance } })).Number("deleted"));
        Assert.Equal(1, await Api.CountAsync($"workflow_instances where request_id = '{request}'"));
    }

    [Fact]
    public async Task Reading_needs_one_scope_and_changing_another()
    {
        var (_, instance) = await Api.FinishedAsync(Alice);
        using var reader = await Api.ClientAsync("alice", Scopes.WorkflowsRead);

        Assert.Equal(HttpStatusCode.OK, (await AskAsync(reader, "GET", "/workflow-instances/{0}", instance)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await AskAsync(reader, "DELETE", "/workflow-instances/{0}", instance)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await AskAsync(reader, "POST", "/cancel/workflow-instances/{0}", instance)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await AskAsync(Alice, "GET", "/workflow-instances/{0}", instance)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(Api.Anonymous, "GET", "/workflow-instances/{0}", instance)).Status);
    }

    [Fact]
    public async Task Every_list_filter_selects_the_right_instances()
    {
        var (finishedRequest, finished) = await Api.FinishedAsync(Alice);
        var running = await Api.InstanceOfAsync(await Alice.AcceptedAsync());
        await Api.ExecuteAsync("update workflow_instances set created_at = now() - interval '2 days' where id = @id", finished);
        var yesterday = TimeProvider.System.GetUtcNow().AddDays(-1);

        await OnlyAsync(finished, new { status = "Finished" });
        await OnlyAsync(running, new { statuses = new[] { "Running" } });
        await OnlyAsync(running, new { subStatus = "Pending" });
        await OnlyAsync(finished, new { subStatuses = new[] { "Finished", "Faulted" } });
        await OnlyAsync(finished, new { hasIncidents = true });
        await OnlyAsync(running, new { hasIncidents = false });
        await OnlyAsync(finished, new { correlationId = finishedRequest });
        await OnlyAsync(finished, new { searchTerm = finishedRequest.ToString() });
        await OnlyAsync(running, new { ids = new[] { running } });
        await OnlyAsync(finished, new { timestampFilters = new[] { new { column = "CreatedAt", @operator = "LessThan", timestamp = yesterday } } });
        await OnlyAsync(running, new { timestampFilters = new[] { new { column = "createdAt", @operator = "GreaterThanOrEqual", timestamp = yesterday } } });
        await OnlyAsync(finished, new { timestampFilters = new[] { new { column = "FinishedAt", @operator = "GreaterThan", timestamp = yesterday } } });
        Assert.Equal(2, (await _alice.SearchAsync(new { searchTerm = "PRODUCTS.csv", definitionIds = new[] { "image-compression" }, version = 1, isSystem = false })).Total);
        Assert.Equal(0, (await _alice.SearchAsync(new { searchTerm = "%" })).Total);
        Assert.Equal(0, (await _alice.SearchAsync(new { definitionId = "another" })).Total);
        Assert.Equal(0, (await _alice.SearchAsync(new { version = 2 })).Total);
        Assert.Equal(0, (await _alice.SearchAsync(new { isSystem = true })).Total);

        async Task OnlyAsync(Guid expected, object search) => Assert.Equal([expected], (await _alice.SearchAsync(search)).Items.Select(Id));
    }

    [Fact]
    public async Task A_list_is_paged_and_ordered()
    {
        var ids = new List<Guid>();
        for (var i = 0; i < 5; i++)
            ids.Add(await Api.InstanceOfAsync(await Alice.AcceptedAsync()));

        var first = await _alice.SearchAsync(new { page = 0, pageSize = 2, orderBy = "Created", orderDirection = "Ascending" });
        var last = await _alice.SearchAsync(new { page = 2, pageSize = 2, orderBy = "Created", orderDirection = "Ascending" });
        var newest = await _alice.SearchAsync(new { page = 0, pageSize = 2, orderDirection = "Descending" });
        var beyond = await _alice.SearchAsync(new { page = 9, pageSize = 2 });

        Assert.Equal((5, 5, 5, 5), (first.Total, last.Total, newest.Total, beyond.Total));
        Assert.Equal(ids[..2], first.Items.Select(Id));
        Assert.Equal(ids[4..], last.Items.Select(Id));
        Assert.Equal([ids[4], ids[3]], newest.Items.Select(Id));
        Assert.Empty(beyond.Items);
        foreach (var order in new[] { "UpdatedAt", "Finished", "Name" })
            Assert.Equal(5, (await _alice.SearchAsync(new { orderBy = order })).Items.Count);
    }

    [Fact]
    public async Task Deleting_a_run_keeps_its_request_and_says_so()
    {
        var (request, instance) = await Api.FinishedAsync(Alice);
        var before = await Alice.GetJsonAsync($"/v1/requests/{request}");

        using var response = await _alice.DeleteAsync($"{ElsaClient.Base}/workflow-instances/{instance}");

        Assert.Contains("The request stays", (await response.JsonAsync()).Text("message"), StringComparison.Ordinal);
        Assert.Equal(0, (await _alice.SearchAsync()).Total);
        Assert.Equal(0, await Api.CountAsync("activity_executions"));
        Assert.Equal(0, await Api.CountAsync("fan_out_counts"));
        Assert.Equal(1, await Api.CountAsync("images where state = 'failed' and error_code is not null and journal is null"));
        Assert.Equal(before.GetRawText(), (await Alice.GetJsonAsync($"/v1/requests/{request}")).GetRawText());
        using var retried = await Alice.PostAsync($"/v1/requests/{request}/retry", null);
        Assert.Equal(HttpStatusCode.OK, retried.StatusCode);
        var next = Assert.Single((await _alice.SearchAsync()).Items);
        Assert.Equal(("Running", "image-compression-1", 1), (next.Text("status"), next.Text("definitionVersionId"), (int)next.Number("version")));
    }

    [Fact]
    public async Task A_running_instance_is_not_deleted()
    {
        var running = await Api.InstanceOfAsync(await Alice.AcceptedAsync());
        var (_, finished) = await Api.FinishedAsync(Alice);

        Assert.Equal(HttpStatusCode.Conflict, (await AskAsync(_alice, "DELETE", "/workflow-instances/{0}", running)).Status);
        var bulk = await _alice.PostJsonAsync("/bulk-actions/delete/workflow-instances/by-id", new { ids = new[] { running, finished, Guid.NewGuid() } });

        Assert.Equal((1, 1), (bulk.Number("deleted"), bulk.Number("stillRunning")));
        Assert.Equal([running], (await _alice.SearchAsync()).Items.Select(Id));
    }

    [Fact]
    public async Task Runs_are_cancelled_together_and_only_those_that_run()
    {
        var (_, finished) = await Api.FinishedAsync(Alice);
        var request = await Alice.AcceptedAsync();
        var running = await Api.InstanceOfAsync(request);

        var result = await _alice.PostJsonAsync("/bulk-actions/cancel/workflow-instances", new { ids = new[] { finished, running, Guid.NewGuid() } });

        Assert.Equal(1, result.Number("cancelledCount"));
        Assert.Equal("cancelled", (await Alice.GetJsonAsync($"/v1/requests/{request}")).Text("status"));
    }

    [Fact]
    public async Task All_running_instances_of_a_version_are_cancelled_together()
    {
        await Api.FinishedAsync(Alice);
        Guid[] mine = [await Alice.AcceptedAsync(), await Alice.AcceptedAsync()];
        var other = await Bob.AcceptedAsync();

        var none = await _alice.PostJsonAsync("/bulk-actions/cancel/workflow-instances", new { definitionVersionId = "another" });
        var result = await _alice.PostJsonAsync("/bulk-actions/cancel/workflow-instances", new { ids = (string[]?)null, definitionVersionId = "image-compression-1" });

        Assert.Equal((0, 2), (none.Number("cancelledCount"), result.Number("cancelledCount")));
        Assert.Equal("2 instances were cancelled.", result.Text("message"));
        foreach (var request in mine)
            Assert.Equal("cancelled", (await Alice.GetJsonAsync($"/v1/requests/{request}")).Text("status"));
        Assert.Equal("created", (await Bob.GetJsonAsync($"/v1/requests/{other}")).Text("status"));

        var byName = await Api.InstanceOfAsync(await Alice.AcceptedAsync());
        await _alice.PostJsonAsync("/bulk-actions/cancel/workflow-instances", new { definitionId = "image-compression", versionOptions = "Latest" });
        Assert.Equal("Cancelled", (await _alice.ElsaAsync($"/workflow-instances/{byName}")).Text("subStatus"));
        await _alice.PostJsonAsync("/bulk-actions/cancel/workflow-instances", new { }, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_run_is_exported_alone_or_with_others_and_not_imported()
    {
        var (_, instance) = await Api.FinishedAsync(Alice);

        using var one = await _alice.GetAsync($"{ElsaClient.Base}/workflow-instances/{instance}/export");
        Assert.Equal("attachment", one.Content.Headers.ContentDisposition?.DispositionType);
        Assert.Equal(instance, (await one.JsonAsync()).GetProperty("workflowState").GetProperty("id").GetGuid());

        using var content = JsonContent.Create(new { ids = new[] { instance } });
        using var many = await _alice.PostAsync($"{ElsaClient.Base}/bulk-actions/export/workflow-instances", content);
        using var zip = new ZipArchive(await many.Content.ReadAsStreamAsync());
        var entry = Assert.Single(zip.Entries);
        using var json = await JsonDocument.ParseAsync(entry.Open());
        Assert.NotEmpty(json.RootElement.GetProperty("workflowExecutionLogRecords").EnumerateArray());

        var refused = await _alice.PostJsonAsync("/bulk-actions/import/workflow-instances", null, HttpStatusCode.BadRequest);
        Assert.NotEmpty(refused.GetProperty("errors").GetProperty("generalErrors").EnumerateArray());
    }

    [Theory]
    [InlineData("GET", "/workflow-definitions?SearchTerm=%00", null)]
    [InlineData("GET", "/workflow-definitions?DefinitionIds=%00", null)]
    [InlineData("POST", "/workflow-instances", """{"searchTerm":"\u0000"}""")]
    public async Task A_search_for_text_that_the_database_cannot_store_is_refused(string method, string path, string? body)
    {
        using var message = new HttpRequestMessage(new HttpMethod(method), ElsaClient.Base + path);
        if (body is not null)
            message.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var response = await _alice.SendAsync(message);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task A_null_filter_is_ignored() =>
        Assert.Equal(0, (await _alice.SearchAsync(new { timestampFilters = new object?[] { null } })).Total);

    [Fact]
    public async Task An_invalid_body_is_reported_as_a_problem()
    {
        using var broken = new StringContent("{\"page\":", System.Text.Encoding.UTF8, "application/json");
        using var response = await _alice.PostAsync($"{ElsaClient.Base}/workflow-instances", broken);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        await _alice.PostJsonAsync("/bulk-actions/delete/workflow-instances/by-id", new { ids = Array.Empty<string>() }, HttpStatusCode.BadRequest);
        await _alice.PostJsonAsync("/activity-executions/report", null, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_viewer_is_notified_of_their_own_runs_only()
    {
        var request = await Alice.AcceptedAsync();
        var instance = (await Api.InstanceOfAsync(request)).ToString();
        await using var anothers = await _bob.ConnectAsync();
        await Assert.ThrowsAsync<HubException>(() => anothers.InvokeAsync("ObserveInstanceAsync", instance));
        await Assert.ThrowsAsync<HttpRequestException>(() => Api.Anonymous.ConnectAsync());
        await Assert.ThrowsAsync<HttpRequestException>(() => Alice.ConnectAsync());

        await using var own = await _alice.ConnectAsync();
        var notified = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        own.On<JsonElement>("WorkflowInstanceUpdatedAsync", message => notified.TrySetResult(message));
        await own.InvokeAsync("ObserveInstanceAsync", instance);
        await Api.ExecuteAsync("update csv_data_table set revision = revision + 1 where id = @id", request);

        Assert.Equal(instance, (await notified.Task.WaitAsync(Eventually.Patience)).Text("workflowInstanceId"));
    }

    [Fact]
    public async Task A_viewer_that_starts_to_listen_after_the_run_ended_is_still_notified()
    {
        var (_, finished) = await Api.FinishedAsync(Alice);
        await using var first = await _alice.ConnectAsync();
        await using var second = await _alice.ConnectAsync();
        foreach (var viewer in new[] { first, second })
        {
            // In Studio's order: it observes first, and then registers its handlers.
            await viewer.InvokeAsync("ObserveInstanceAsync", finished.ToString());
            var notified = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            viewer.On<JsonElement>("WorkflowInstanceUpdatedAsync", _ => notified.TrySetResult());
            await notified.Task.WaitAsync(Eventually.Patience);
        }
    }

    [Fact]
    public async Task An_earlier_run_keeps_its_counts_and_the_new_one_has_its_own()
    {
        var (request, earlier) = await Api.FinishedAsync(Alice);
        using (var retried = await Alice.PostAsync($"/v1/requests/{request}/retry", null))
            retried.EnsureSuccessStatusCode();

        var runs = (await _alice.SearchAsync(new { orderBy = "Created", orderDirection = "Ascending" })).Items;

        Assert.Equal(["products.csv", "products.csv (run 2)"], runs.Select(run => run.Text("name")));
        Assert.Equal([1L, 0L], runs.Select(run => run.Number("incidentCount")));
        Assert.Equal(1, (await _alice.ReportAsync(earlier.ToString()))["download"].Number("aggregateFaultCount"));
        Assert.Empty(await _alice.ReportAsync(runs[1].Text("id")));
        Assert.False((await _alice.PostJsonAsync($"/cancel/workflow-instances/{earlier}")).GetProperty("cancelled").GetBoolean());
    }

    private static Guid Id(JsonElement instance) => instance.GetProperty("id").GetGuid();

    private static async Task<(HttpStatusCode Status, string? Code)> AskAsync(HttpClient client, string method, string path, params object[] ids)
    {
        using var message = new HttpRequestMessage(new HttpMethod(method), ElsaClient.Base + string.Format(CultureInfo.InvariantCulture, path, ids));
        if (method == "POST")
            message.Content = JsonContent.Create(new { });
        using var response = await client.SendAsync(message);
        if (response.IsSuccessStatusCode)
            return (response.StatusCode, null);
        var problem = JsonSerializer.Deserialize<JsonElement>(await response.Content.ReadAsStringAsync());
        return (response.StatusCode, problem.Text("code") + problem.GetProperty("detail"));
    }
}
