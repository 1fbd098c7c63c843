using System.Net;
using System.Text.Json.Nodes;
using Darkroom.Access;
using Darkroom.Data;
using Darkroom.Tests.Api;

namespace Darkroom.Tests.Elsa.Definitions;

/// <summary>Drafts, publishing, history and revert, as Elsa does them.</summary>
public sealed class VersioningTests : ApiTest
{
    private const string Default = "image-compression";

    private Studio Studio { get; set; } = null!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Studio = new Studio(await Api.ClientAsync("editor", Scopes.WorkflowsEdit), "one");
    }

    [Fact]
    public async Task A_new_workflow_is_a_draft_that_opens()
    {
        var id = await Studio.CreateAsync("Mine");
        var opened = await Studio.OpenAsync(id);

        Assert.Equal(1, (int)opened["version"]!);
        Assert.False((bool)opened["isPublished"]!);
        Assert.True((bool)opened["isLatest"]!);
        Assert.Equal("Workflow1:5f0e4c3b2a190807", (string)opened["root"]!["nodeId"]!);
        foreach (var list in (string[])["variables", "inputs", "outputs", "outcomes"])
            Assert.Empty(opened[list]!.AsArray());
    }

    [Fact]
    public async Task Editing_a_published_version_makes_a_draft_and_editing_the_draft_does_not_make_another()
    {
        await Studio.OpenAsync(Default);
        var published = Studio.Id;
        Studio.Set("compress", "quality", "70");
        await Studio.SaveAsync();
        var draft = Studio.Id;
        Studio.Set("compress", "quality", "80");
        await Studio.SaveAsync();

        Assert.NotEqual(published, draft);
        Assert.Equal(draft, Studio.Id);
        Assert.Equal(2, Studio.Version);
        Assert.Equal(published, (string)(await Studio.OpenAsync(Default, "Published"))["id"]!);
        Assert.Equal(draft, (string)(await Studio.OpenAsync(Default, "Draft"))["id"]!);
    }

    [Fact]
    public async Task Publishing_makes_the_draft_the_only_published_version()
    {
        await Studio.OpenAsync(Default);
        Studio.Set("compress", "quality", "70");
        var saved = await Studio.SaveAsync(publish: true);

        Assert.False((bool)saved["alreadyPublished"]!);
        var history = await Studio.HistoryAsync(Default);
        Assert.Equal([2, 1], history.Select(v => (int)v!["version"]!));
        Assert.Equal([true, false], history.Select(v => (bool)v!["isPublished"]!));
        Assert.Equal([true, false], history.Select(v => (bool)v!["isLatest"]!));
    }

    [Fact]
    public async Task Saving_unchanged_content_changes_nothing()
    {
        await Studio.OpenAsync(Default);
        var saved = await Studio.SaveAsync(publish: true);

        Assert.True((bool)saved["alreadyPublished"]!);
        Assert.Single(await Studio.HistoryAsync(Default));
    }

    [Fact]
    public async Task A_retracted_version_never_changes_again()
    {
        var id = await PublishedCopyAsync();
        using (var response = await Studio.PostAsync($"/workflow-definitions/{id}/retract"))
            Assert.False((bool)(await Studio.BodyAsync(response))["isPublished"]!);
        await Studio.OpenAsync(id);
        Studio.Set("compress", "quality", "10");
        await Studio.SaveAsync();

        Assert.Equal(2, Studio.Version);
        Assert.Empty((await Studio.GetAsync($"/workflow-definitions?versionOptions=Published&DefinitionIds={id}"))["items"]!.AsArray());
    }

    [Fact]
    public async Task Reverting_makes_a_draft_of_an_old_version()
    {
        await Studio.OpenAsync(Default);
        Studio.Set("compress", "quality", "70");
        await Studio.SaveAsync(publish: true);
        var reverted = await Studio.PostOkAsync($"/workflow-definitions/{Default}/revert/1");

        Assert.Equal(3, (int)reverted["version"]!);
        var opened = await Studio.GetAsync($"/workflow-definitions/by-id/{reverted["id"]}");
        Assert.True((bool)opened["isLatest"]!);
        Assert.False((bool)opened["isPublished"]!);
        await Studio.OpenAsync(Default);
        Assert.NotEqual("70", (string?)Studio.Activity("compress")["quality"]?["expression"]?["value"]);
    }

    [Fact]
    public async Task The_default_workflow_cannot_be_retracted_or_deleted()
    {
        using var retract = await Studio.PostAsync($"/workflow-definitions/{Default}/retract");
        Assert.Contains("cannot be retracted", Assert.Single(await Studio.ErrorsAsync(retract)), StringComparison.Ordinal);
        using var delete = await Studio.Client.DeleteAsync($"{Studio.Base}/workflow-definitions/{Default}");
        Assert.Contains("cannot be deleted", Assert.Single(await Studio.ErrorsAsync(delete, HttpStatusCode.Conflict)), StringComparison.Ordinal);
        await Studio.OpenAsync(Default);
        using var version = await Studio.Client.DeleteAsync($"{Studio.Base}/workflow-definition-versions/{Studio.Id}");
        await Studio.ErrorsAsync(version, HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Deleting_the_latest_version_makes_the_one_before_it_the_latest()
    {
        await Studio.OpenAsync(Default);
        Studio.Set("compress", "quality", "70");
        await Studio.SaveAsync();
        using var deleted = await Studio.Client.DeleteAsync($"{Studio.Base}/workflow-definition-versions/{Studio.Id}");

        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(1, (int)(await Studio.OpenAsync(Default))["version"]!);
        using var again = await Studio.Client.DeleteAsync($"{Studio.Base}/workflow-definition-versions/gone");
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
    }

    [Fact]
    public async Task A_workflow_that_a_request_ran_is_not_deleted()
    {
        var id = await PublishedCopyAsync();
        using (var upload = await Alice.UploadAsync(ApiClient.Form(("workflow", id), ("file", ApiClient.GoodCsv))))
            await upload.JsonAsync(HttpStatusCode.Accepted);
        using var response = await Studio.Client.DeleteAsync($"{Studio.Base}/workflow-definitions/{id}");
        Assert.Contains("requests run it, or have run it", Assert.Single(await Studio.ErrorsAsync(response, HttpStatusCode.Conflict)), StringComparison.Ordinal);

        var unused = await PublishedCopyAsync("Unused");
        var bulk = await Studio.PostOkAsync(
            "/bulk-actions/delete/workflow-definitions/by-definition-id", new JsonObject { ["definitionIds"] = new JsonArray(id, unused, "gone") });
        Assert.Equal(1, (int)bulk["deleted"]!);
        using var gone = await Studio.Client.GetAsync($"{Studio.Base}/workflow-definitions/by-definition-id/{unused}?versionOptions=Latest");
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task A_running_request_keeps_its_version_and_the_next_upload_runs_the_new_one()
    {
        var before = await Alice.AcceptedAsync();
        await Studio.OpenAsync(Default);
        Studio.Set("compress", "quality", "70");
        await Studio.SaveAsync(publish: true);
        var after = await Alice.AcceptedAsync();

        Assert.Equal((1, 2), (await PinnedAsync(before), await PinnedAsync(after)));
    }

    [Fact]
    public async Task Bulk_publish_reports_the_result_for_each_definition()
    {
        await Studio.OpenAsync(Default);
        Studio.Set("compress", "quality", "70");
        await Studio.SaveAsync();
        var empty = await Studio.CreateAsync("Empty");
        var published = await PublishedCopyAsync();

        var outcome = await Studio.PostOkAsync(
            "/bulk-actions/publish/workflow-definitions/by-definition-ids", new JsonObject { ["definitionIds"] = new JsonArray(Default, empty, published, "gone") });
        Assert.Equal([Default], outcome["published"]!.AsArray().Select(id => (string)id!));
        Assert.Equal([published], outcome["alreadyPublished"]!.AsArray().Select(id => (string)id!));
        Assert.Equal(["gone"], outcome["notFound"]!.AsArray().Select(id => (string)id!));
        Assert.Equal(empty, (string)Assert.Single(outcome["refused"]!.AsArray())!["id"]!);

        var retracted = await Studio.PostOkAsync(
            "/bulk-actions/retract/workflow-definitions/by-definition-ids", new JsonObject { ["definitionIds"] = new JsonArray(Default, empty, published) });
        Assert.Equal([published], retracted["retracted"]!.AsArray().Select(id => (string)id!));
        Assert.Equal([empty], retracted["alreadyRetracted"]!.AsArray().Select(id => (string)id!));
    }

    /// <summary>A published copy of the default workflow, as Save as creates it.</summary>
    private async Task<string> PublishedCopyAsync(string name = "Copy")
    {
        await Studio.OpenAsync(Default);
        Studio.Definition["id"] = null;
        Studio.Definition["definitionId"] = null;
        Studio.Definition["name"] = name;
        await Studio.SaveAsync(publish: true);
        return (string)Studio.Definition["definitionId"]!;
    }

    private async Task<int> PinnedAsync(Guid request) =>
        (int)(await Api.Database.Sql("select version from workflow_instances where request_id = @id").With("id", request).ExecuteScalarAsync())!;
}
