using System.Net;
using System.Text.Json.Nodes;
using Darkroom.Data;
using Darkroom.Tests.Api;
using Darkroom.Tests.Elsa.Instances;
using Darkroom.Tests.EndToEnd;
using StudioWindow = Darkroom.Tests.Elsa.Definitions.Studio;

namespace Darkroom.Tests.Elsa.Run;

/// <summary>Studio's Run button: the workflow as it is on the canvas, with the built-in sample of three images.</summary>
public sealed class SampleRunTests(SharedSystem shared) : IClassFixture<SharedSystem>, IAsyncLifetime
{
    private readonly string _workflow = $"tried-{Guid.NewGuid():N}";
    private StudioWindow _studio = null!;

    private DarkroomClient Client => shared.Product.Client;

    /// <summary>A published version and a draft that makes the images smaller.</summary>
    public async Task InitializeAsync()
    {
        await Workflows.PublishAsync(shared.Product.Database.DataSource, _workflow, 1, _ => { });
        _studio = new StudioWindow(Client.Http);
        await _studio.OpenAsync(_workflow);
        Edited.InsertBefore("compress", "resize", "Darkroom.ResizeImage", ("width", "Literal", "64"));
        await _studio.SaveAsync();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task A_draft_is_tried_as_it_is_and_the_published_version_stays_unchanged()
    {
        var (run, request) = await TryAsync();

        Assert.Equal([64, 64, 64], await WidthsAsync(request));
        Assert.Equal(2, (await Client.Http.ElsaAsync($"/workflow-instances/{run}")).Number("version"));
        Assert.Equal(1, (int)(await _studio.OpenAsync(_workflow, "Published"))["version"]!);
        var uploaded = await Client.UploadAsync(ProductCsv.Of([shared.Product.Images.Good(1)]), workflow: _workflow);
        await uploaded.EndAsync();
        Assert.Equal([320], await WidthsAsync(uploaded));
    }

    [Fact]
    public async Task A_draft_that_is_edited_and_tried_again_is_shown_each_time_as_it_ran()
    {
        var (first, _) = await TryAsync();
        Assert.Equal(3, (await Client.Http.ReportAsync(first))["resize"].Number("completedCount"));

        Edited.InsertBefore("compress", "note", "Elsa.WriteLine");
        await _studio.SaveAsync();
        var (second, _) = await TryAsync();

        Assert.Equal(2, _studio.Version);
        Assert.Equal(3, (await Client.Http.ReportAsync(second))["note"].Number("completedCount"));
        Assert.DoesNotContain("note", (await Client.Http.ReportAsync(first)).Keys);
    }

    [Fact]
    public async Task A_draft_that_cannot_run_is_refused_with_all_reasons_and_nothing_starts()
    {
        _studio.Set("resize", "width", "wide");
        _studio.Set("compress", "quality", "700");
        await _studio.SaveAsync();
        var before = await RequestsAsync();

        using var response = await _studio.PostAsync($"/workflow-definitions/{_workflow}/execute");

        Assert.Equal("true", Assert.Single(response.Headers.GetValues("x-elsa-workflow-cannot-start")));
        Assert.False(response.Headers.Contains("x-elsa-workflow-instance-id"));
        var reasons = await StudioWindow.ErrorsAsync(response);
        Assert.Equal(2, reasons.Length);
        Assert.Contains(reasons, reason => reason.Contains("Width must be of type Int32, not 'wide'", StringComparison.Ordinal));
        Assert.Contains(reasons, reason => reason.Contains("Quality must be between 1 and 100, not 700", StringComparison.Ordinal));
        Assert.Empty((await Client.Http.SearchAsync(new { definitionIds = new[] { _workflow } })).Items);
        Assert.Equal(before, await RequestsAsync());
    }

    [Fact]
    public async Task A_run_is_shown_whatever_else_its_definition_holds()
    {
        var activity = _studio.Activity("compress");
        activity["name"] = 5;
        activity["metadata"] = new JsonObject { ["id"] = "m", ["type"] = "t", ["version"] = "text" };
        await _studio.SaveAsync();
        using var started = await _studio.PostAsync($"/workflow-definitions/{_workflow}/execute");

        var instance = Assert.Single(started.Headers.GetValues("x-elsa-workflow-instance-id"));

        Assert.Equal(instance, (await Client.Http.ElsaAsync($"/workflow-instances/{instance}")).Text("id"));
    }

    [Fact]
    public async Task A_workflow_that_does_not_exist_is_not_tried()
    {
        using var response = await _studio.PostAsync("/workflow-definitions/nobodys/execute");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    private EditedWorkflow Edited => new(_studio.Definition);

    /// <summary>Presses Run and waits for the end; returns the instance and its request.</summary>
    private async Task<(string Run, SubmittedRequest Request)> TryAsync()
    {
        using var response = await _studio.PostAsync($"/workflow-definitions/{_workflow}/execute");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var run = Assert.Single(response.Headers.GetValues("x-elsa-workflow-instance-id"));
        var request = new SubmittedRequest(Client, (await Client.Http.ElsaAsync($"/workflow-instances/{run}")).Text("correlationId"));
        Assert.Equal("completed", (await request.EndAsync()).Text("status"));
        return (run, request);
    }

    private async Task<IEnumerable<long>> WidthsAsync(SubmittedRequest request) =>
        (await Client.Http.GetJsonAsync($"/v1/requests/{request.Id}/images")).GetProperty("items").EnumerateArray()
            .Select(image => image.GetProperty("output").Number("width"));

    private async Task<object?> RequestsAsync() =>
        await shared.Product.Database.DataSource.Sql("select (select count(*) from csv_data_table) + (select count(*) from uploads)").ExecuteScalarAsync();
}
