using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Darkroom.Access;
using Darkroom.Tests.Api;

namespace Darkroom.Tests.Elsa.Definitions;

/// <summary>Lists, descriptors and permissions.</summary>
public sealed class ReadingTests : ApiTest
{
    private const string Default = "image-compression";

    private Studio Editor { get; set; } = null!;
    private Studio Reader { get; set; } = null!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Editor = new Studio(await Api.ClientAsync("editor", Scopes.WorkflowsEdit), "one");
        Reader = new Studio(await Api.ClientAsync("reader", Scopes.WorkflowsRead));
    }

    [Fact]
    public async Task A_caller_who_may_only_read_gets_no_links_so_Studio_is_read_only()
    {
        string[] paths = [$"/workflow-definitions/by-definition-id/{Default}?versionOptions=Latest", "/workflow-definitions?versionOptions=Latest"];
        foreach (var path in paths)
        {
            Assert.NotEmpty((await Editor.GetAsync(path))["links"]!.AsArray());
            Assert.Empty((await Reader.GetAsync(path))["links"]!.AsArray());
        }

        Assert.Contains((await Editor.GetAsync(paths[1]))["links"]!.AsArray(), link => (string)link!["rel"]! == "bulk-publish");
        Assert.Contains((await Editor.OpenAsync(Default))["links"]!.AsArray(), link => (string)link!["rel"]! == "publish");
        Assert.Empty((await Reader.GetAsync(paths[1]))["items"]![0]!["links"]!.AsArray());
    }

    [Fact]
    public async Task Writing_and_reading_each_need_their_scope()
    {
        (string Method, string Path)[] writes =
        [
            ("POST", "/workflow-definitions"), ("POST", $"/workflow-definitions/{Default}/publish"), ("POST", $"/workflow-definitions/{Default}/retract"),
            ("POST", $"/workflow-definitions/{Default}/revert/1"), ("DELETE", $"/workflow-definitions/{Default}"), ("DELETE", "/workflow-definition-versions/x"),
            ("POST", "/workflow-definitions/import"), ("POST", "/workflow-definitions/import-files"),
            ("POST", "/bulk-actions/delete/workflow-definitions/by-definition-id"), ("POST", "/bulk-actions/delete/workflow-definitions/by-id"),
            ("POST", "/bulk-actions/publish/workflow-definitions/by-definition-ids"), ("POST", "/bulk-actions/retract/workflow-definitions/by-definition-ids"),
        ];
        foreach (var (method, path) in writes)
        {
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(Reader.Client, method, path));
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(Api.Anonymous, method, path));
        }

        foreach (var path in (string[])["/workflow-definitions", "/descriptors/activities", "/features/installed", $"/workflow-definitions/{Default}/export"])
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(Reader.Client, "GET", path));
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(Alice, "GET", path));
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(Api.Anonymous, "GET", path));
        }
    }

    [Fact]
    public async Task Lists_are_paged_sorted_searched_and_filtered()
    {
        foreach (var name in (string[])["Beta", "alpha 100%", "Gamma"])
            await Editor.CreateAsync(name);
        var id = (string)Editor.Definition["definitionId"]!;

        Assert.Equal(["alpha 100%", "Beta", "Gamma", "Image compression"], await NamesAsync("versionOptions=Latest&Page=0&PageSize=10&SearchTerm=&IsSystem=False&OrderDirection=Ascending"));
        Assert.Equal(["Gamma", "Image compression"], await NamesAsync("versionOptions=Latest&page=1&pagesize=2"));
        Assert.Equal(["Image compression", "Gamma"], await NamesAsync("versionOptions=Latest&OrderBy=Name&OrderDirection=Descending&PageSize=2"));
        Assert.Equal("Gamma", (await NamesAsync("versionOptions=Latest&OrderBy=Created"))[0]);
        Assert.Equal(["alpha 100%"], await NamesAsync("versionOptions=Latest&SearchTerm=100%25"));
        Assert.Equal(["Image compression"], await NamesAsync("versionOptions=Published"));
        Assert.Equal(["Gamma", "Image compression"], await NamesAsync($"versionOptions=Latest&DefinitionIds={id}&DefinitionIds={Default}"));
        Assert.Equal(["Gamma", "Image compression"], await NamesAsync($"versionOptions=&Ids={Editor.Id}&Ids=image-compression-1"));
        Assert.Equal(4, (await NamesAsync("versionOptions=1")).Length);
        Assert.Empty(await NamesAsync("versionOptions=Latest&IsSystem=True"));
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(Reader.Client, "GET", "/workflow-definitions?versionOptions=Newest"));
        Assert.False((bool)(await Reader.GetAsync("/workflow-definitions/validation/is-name-unique?name=beta"))["isUnique"]!);
        Assert.True((bool)(await Reader.GetAsync($"/workflow-definitions/validation/is-name-unique?name=Gamma&definitionId={id}"))["isUnique"]!);
        Assert.Equal(4, (int)(await Reader.GetAsync("/workflow-definitions/query/count"))["count"]!);
    }

    [Fact]
    public async Task Every_list_that_Studio_requests_exists()
    {
        string[] lists =
        [
            "/descriptors/activities?Refresh=True", "/descriptors/expression-descriptors", "/descriptors/workflow-activation-strategies", "/descriptors/incident-strategies",
            "/descriptors/log-persistence-strategies", "/descriptors/commit-strategies/workflows", "/descriptors/commit-strategies/activities", "/features/installed",
            "/descriptors/variables", "/descriptors/storage-drivers", "/descriptors/output-converters?sourceType=Int64&destinationType=String",
            $"/workflow-definitions/many-by-id?ids={Default}-1", $"/workflow-definitions/{Default}/versions",
        ];
        foreach (var path in lists)
            Assert.NotNull((await Reader.GetAsync(path))["items"]);
        Assert.Empty((await Reader.GetAsync($"/workflow-definitions/{Default}/consumers"))["consumingWorkflowDefinitionIds"]!.AsArray());
        using var script = await Reader.PostAsync($"/scripting/javascript/type-definitions/{Default}", new JsonObject { ["workflowDefinitionId"] = Default });
        Assert.Contains("declare function getVariable", await script.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Activities_are_described_as_Studio_reads_them()
    {
        var items = (await Reader.GetAsync("/descriptors/activities"))["items"]!.AsArray().Select(item => item!.AsObject()).ToDictionary(item => (string)item["typeName"]!);

        Assert.Equal(
            ["typeName", "namespace", "name", "version", "category", "displayName", "description", "inputs", "outputs", "kind", "runAsynchronously", "ports",
             "customProperties", "constructionProperties", "isContainer", "isBrowsable", "isStart", "isTerminal"],
            items["Darkroom.CompressImage"].Select(member => member.Key).OrderBy(key => Array.IndexOf(Descriptor, key)));
        var quality = items["Darkroom.CompressImage"]["inputs"]![0]!.AsObject();
        Assert.Equal(Input.Order(), quality.Select(member => member.Key).Order());
        Assert.Equal(("Quality", "Int32", 50, "singleline"), ((string)quality["name"]!, (string)quality["typeName"]!, (int)quality["defaultValue"]!, (string)quality["uiHint"]!));
        Assert.Equal([("Body", "Embedded"), ("Done", "Flow")], Ports(items["Darkroom.FanOutImages"]));
        Assert.True((bool)items["Darkroom.CsvUploaded"]["isStart"]!);
        Assert.True((bool)items["Elsa.Flowchart"]["isContainer"]!);
        Assert.False((bool)items["Elsa.Flowchart"]["isBrowsable"]!);
        Assert.Contains("Elsa.NotFoundActivity", items.Keys);
        Assert.DoesNotContain("Elsa.Sequence", items.Keys);
    }

    private static readonly string[] Descriptor =
    [
        "typeName", "namespace", "name", "version", "category", "displayName", "description", "inputs", "outputs", "kind", "runAsynchronously", "ports",
        "customProperties", "constructionProperties", "isContainer", "isBrowsable", "isStart", "isTerminal",
    ];

    private static readonly string[] Input =
    [
        "name", "typeName", "displayName", "description", "order", "isBrowsable", "isSerializable", "isSynthetic", "isWrapped", "uiHint", "category",
        "defaultValue", "defaultSyntax", "isReadOnly", "isSensitive", "storageDriverType", "autoEvaluate", "uiSpecifications",
    ];

    private static (string, string)[] Ports(JsonObject activity) =>
        [.. activity["ports"]!.AsArray().Select(port => ((string)port!["name"]!, (string)port["type"]!))];

    private async Task<string[]> NamesAsync(string query) =>
        [.. (await Reader.GetAsync($"/workflow-definitions?{query}"))["items"]!.AsArray().Select(item => (string)item!["name"]!)];

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), Studio.Base + path);
        if (method == "POST")
            request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
        using var response = await client.SendAsync(request);
        return response.StatusCode;
    }
}
