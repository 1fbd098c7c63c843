using System.Net;
using Darkroom.Access;
using StudioWindow = Darkroom.Tests.Elsa.Definitions.Studio;

namespace Darkroom.Tests.Api;

/// <summary>The workflows that an upload can select.</summary>
public sealed class WorkflowListTests : ApiTest
{
    [Fact]
    public async Task Published_workflows_are_listed_with_the_default_and_drafts_are_not()
    {
        var studio = new StudioWindow(await Api.ClientAsync("editor", Scopes.WorkflowsEdit), "one");
        await studio.CreateAsync("A draft");
        await studio.OpenAsync("image-compression");
        studio.Definition["definitionId"] = "thumbnails";
        studio.Definition["id"] = null;
        studio.Definition["name"] = "Thumbnails";
        await studio.SaveAsync(publish: true);

        var items = (await Alice.GetJsonAsync("/v1/workflows")).GetProperty("items").EnumerateArray().Select(item => item.GetRawText()).ToList();

        Assert.Equal(2, items.Count);
        Assert.StartsWith("""{"id":"image-compression","name":"Image compression","description":"Downloads""", items[0], StringComparison.Ordinal);
        Assert.EndsWith(""","version":1,"is_default":true}""", items[0], StringComparison.Ordinal);
        Assert.StartsWith("""{"id":"thumbnails","name":"Thumbnails",""", items[1], StringComparison.Ordinal);
        Assert.EndsWith(""","version":1,"is_default":false}""", items[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_list_needs_the_upload_scope()
    {
        using var anonymous = await Api.Anonymous.GetAsync("/v1/workflows");
        Assert.Equal(HttpStatusCode.Unauthorized, anonymous.StatusCode);
        using var viewer = await Api.ClientAsync("viewer", Scopes.WorkflowsRead);
        using var forbidden = await viewer.GetAsync("/v1/workflows");
        Assert.Equal(HttpStatusCode.Forbidden, forbidden.StatusCode);
    }
}
