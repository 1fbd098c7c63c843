using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Darkroom.Access;
using Darkroom.Tests.Api;

namespace Darkroom.Tests.Elsa.Definitions;

/// <summary>Definitions as files in Elsa's format.</summary>
public sealed class FileTests : ApiTest
{
    /// <summary>As Studio 3.8.2 saves: literals as text, a variable as JSON text, an output bound to a variable, a nested flowchart.</summary>
    private const string SavedByStudio =
        """
        {
          "definitionId": "saved-by-studio", "name": "Saved by Studio", "description": "Every form that Studio writes", "toolVersion": "3.8.2.0",
          "variables": [ { "id": "v1", "name": "Size", "typeName": "String", "isArray": false, "value": null, "storageDriverTypeName": null } ],
          "inputs": [], "outputs": [], "outcomes": [], "customProperties": {}, "isReadonly": false,
          "options": { "activationStrategyType": null, "usableAsActivity": null, "autoUpdateConsumingWorkflows": false, "activityCategory": null, "incidentStrategyType": null, "commitStrategyName": null },
          "root": {
            "type": "Elsa.Flowchart", "version": 1, "id": "f1", "name": "Flowchart1", "metadata": {}, "customProperties": {}, "variables": [],
            "activities": [
              { "id": "a1", "type": "Acme.Check", "version": 1, "name": "Check1",
                "customProperties": { "canStartWorkflow": false, "runAsynchronously": false },
                "metadata": { "designer": { "position": { "x": -300, "y": 0.5 }, "size": { "width": 210.390625, "height": 54 } } },
                "maxSizeMb": { "typeName": "Int32", "expression": { "type": "Literal", "value": "10" } }, "nodeId": "Workflow1:f1:a1" },
              { "id": "a2", "nodeId": "Workflow1:f1:a2", "name": "Squeeze1", "type": "Acme.Squeeze", "version": 1,
                "metadata": { "designer": { "position": { "x": 0, "y": 0 }, "size": { "width": 200, "height": 54 } } },
                "keep": { "typeName": null, "expression": { "type": "Literal", "value": "True" }, "memoryReference": null },
                "note": { "typeName": null, "expression": { "type": "Variable", "value": "{\"id\":\"v1\",\"name\":\"Size\",\"typeName\":\"String\",\"isArray\":false,\"value\":null,\"storageDriverTypeName\":null}" }, "memoryReference": null },
                "size": { "typeName": "Int64", "memoryReference": { "id": "v1" } } },
              { "id": "a3", "nodeId": "Workflow1:f1:a3", "name": "Each1", "type": "Acme.Each", "version": 1, "metadata": {},
                "body": { "id": "b", "type": "Elsa.Flowchart", "version": 1, "name": "Flowchart1", "nodeId": "Workflow1:f1:a3:b",
                  "activities": [ { "id": "c", "nodeId": "Workflow1:f1:a3:b:c", "name": "Squeeze1", "type": "Acme.Squeeze", "version": 1, "metadata": {} } ], "connections": [] } }
            ],
            "connections": [ { "source": { "activity": "a1", "port": "Valid" }, "target": { "activity": "a2", "port": "In" }, "vertices": [ { "x": 1.5, "y": 2 } ] } ],
            "nodeId": "Workflow1:f1"
          },
          "links": null, "createdAt": "2026-11-23T11:18:16.6998213+00:00", "version": 2, "isLatest": true, "isPublished": false, "id": "6ae9ba3add3a416b"
        }
        """;

    private Studio Studio { get; set; } = null!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Studio = new Studio(await Api.ClientAsync("editor", Scopes.WorkflowsEdit), "one");
    }

    [Fact]
    public async Task A_definition_saved_by_Studio_is_exported_unchanged()
    {
        var saved = JsonNode.Parse(SavedByStudio)!.AsObject();
        await Studio.PostOkAsync("/workflow-definitions/import", saved.DeepClone());
        var file = await Studio.GetAsync("/workflow-definitions/saved-by-studio/export?versionOptions=1&includeConsumingWorkflows=False");

        Assert.Equal(
            ["$schema", "id", "definitionId", "name", "description", "createdAt", "version", "toolVersion", "variables", "inputs", "outputs", "outcomes",
             "customProperties", "isReadonly", "isSystem", "isLatest", "isPublished", "options", "root"],
            file.Select(member => member.Key));
        foreach (var name in (string[])["definitionId", "name", "description", "toolVersion", "variables", "inputs", "outputs", "outcomes", "customProperties", "isReadonly", "options", "root"])
            Assert.True(JsonNode.DeepEquals(saved[name], file[name]), $"{name}: {file[name]}");
        Assert.Equal((1, true, false), ((int)file["version"]!, (bool)file["isLatest"]!, (bool)file["isPublished"]!));
        Assert.Matches("^[0-9a-f]{16}$", (string)file["id"]!);
    }

    [Fact]
    public async Task An_exported_file_is_imported_as_a_draft_and_leaves_history_alone()
    {
        using var exported = await Studio.Client.GetAsync($"{Studio.Base}/workflow-definitions/image-compression/export?versionOptions=Published");
        Assert.Equal("application/json", exported.Content.Headers.ContentType?.MediaType);
        Assert.EndsWith(".json", exported.Content.Headers.ContentDisposition?.FileName?.Trim('"'), StringComparison.Ordinal);
        var file = await Studio.BodyAsync(exported);

        Assert.Equal(1, (int)(await Studio.PostOkAsync("/workflow-definitions/import", file.DeepClone()))["version"]!);
        file["name"] = "Renamed";
        var imported = await Studio.PostOkAsync("/workflow-definitions/import", file);
        Assert.Equal((2, false), ((int)imported["version"]!, (bool)imported["isPublished"]!));
        Assert.Equal(2, (await Studio.HistoryAsync("image-compression")).Count);
    }

    [Fact]
    public async Task Connections_in_the_form_of_earlier_versions_of_Elsa_are_read()
    {
        var file = JsonNode.Parse(SavedByStudio)!.AsObject();
        var now = file["root"]!["connections"]!.DeepClone();
        file["root"]!["connections"] = new JsonArray(new JsonObject
        {
            ["source"] = "a1",
            ["sourcePort"] = "Valid",
            ["target"] = "a2",
            ["targetPort"] = "In",
            ["vertices"] = now[0]!["vertices"]!.DeepClone(),
        });

        await Studio.PostOkAsync("/workflow-definitions/import", file);

        var stored = (await Studio.OpenAsync("saved-by-studio"))["root"]!["connections"]!;
        Assert.Equal("Valid", (string)stored[0]!["source"]!["port"]!);
        Assert.Equal(("a1", "a2"), ((string)stored[0]!["source"]!["activity"]!, (string)stored[0]!["target"]!["activity"]!));
        Assert.True(JsonNode.DeepEquals(now[0]!["vertices"], stored[0]!["vertices"]));
        Assert.Null(stored[0]!["sourcePort"]);
    }

    [Fact]
    public async Task A_definition_that_an_Elsa_without_its_activities_has_saved_is_whole_again()
    {
        var file = JsonNode.Parse(SavedByStudio)!.AsObject();
        var (root, original) = (file["root"]!.AsObject(), file["root"]!.DeepClone());
        var activities = root["activities"]!.AsArray();
        for (var i = 0; i < activities.Count; i++)
        {
            var activity = activities[i]!.AsObject();
            var metadata = (JsonObject?)activity["metadata"]?.DeepClone() ?? [];
            metadata["displayText"] = $"Not Found: {activity["type"]}";
            activities[i] = new JsonObject
            {
                ["id"] = activity["id"]!.DeepClone(),
                ["nodeId"] = activity["nodeId"]!.DeepClone(),
                ["name"] = activity["name"]!.DeepClone(),
                ["type"] = "Elsa.NotFoundActivity",
                ["version"] = 1,
                ["metadata"] = metadata,
                ["missingTypeName"] = activity["type"]!.DeepClone(),
                ["missingTypeVersion"] = 1,
                ["originalActivityJson"] = activity.ToJsonString(),
            };
        }

        var dangling = new JsonObject { ["source"] = new JsonObject { ["activity"] = "a2" }, ["target"] = new JsonObject { ["activity"] = "gone" } };
        root["customProperties"]!["notFoundConnections"] = new JsonArray(root["connections"]![0]!.DeepClone(), dangling.DeepClone());
        root["connections"] = new JsonArray();

        await Studio.PostOkAsync("/workflow-definitions/import", file);

        var restored = (await Studio.GetAsync("/workflow-definitions/saved-by-studio/export"))["root"]!;
        Assert.True(JsonNode.DeepEquals(original["activities"], restored["activities"]), $"{restored["activities"]}");
        Assert.True(JsonNode.DeepEquals(original["connections"], restored["connections"]), $"{restored["connections"]}");
        Assert.True(JsonNode.DeepEquals(new JsonArray(dangling), restored["customProperties"]!["notFoundConnections"]), $"{restored["customProperties"]}");
    }

    [Theory]
    [InlineData("Elsa.ParallelForEach", "Elsa.ParallelForEach, which is not run here.")]
    [InlineData("Elsa.SendHttpRequest", "Elsa.SendHttpRequest, which is not run here; Elsa.FlowSendHttpRequest is.")]
    public async Task Unsupported_Elsa_activities_are_refused_on_import(string type, string reason)
    {
        var file = JsonNode.Parse(SavedByStudio)!.AsObject();
        file["root"]!["activities"]!.AsArray().Add(new JsonObject { ["id"] = "x", ["type"] = type, ["version"] = 1 });
        using var response = await Studio.PostAsync("/workflow-definitions/import", file);
        Assert.EndsWith(reason, Assert.Single(await Studio.ErrorsAsync(response)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_definitions_are_exported_and_imported_as_a_zip()
    {
        await Studio.CreateAsync("First");
        var (first, name) = (Studio.Id, (string)Studio.Definition["definitionId"]!);
        await Studio.CreateAsync("Second");
        using var zip = await Studio.PostAsync("/bulk-actions/export/workflow-definitions", new JsonObject { ["ids"] = new JsonArray(first, Studio.Id), ["includeConsumingWorkflows"] = false });
        var bytes = await zip.Content.ReadAsByteArrayAsync();
        using (var archive = new ZipArchive(new MemoryStream(bytes)))
            Assert.Equal(2, archive.Entries.Count);
        using (await Studio.Client.DeleteAsync($"{Studio.Base}/workflow-definitions/{name}"))
        using (var form = new MultipartFormDataContent { { new ByteArrayContent(bytes), "files", "workflow-definitions.zip" } })
        using (var response = await Studio.Client.PostAsync($"{Studio.Base}/workflow-definitions/import-files", form))
            Assert.Equal(2, (int)(await Studio.BodyAsync(response))["count"]!);
        Assert.Equal("First", (string)(await Studio.OpenAsync(name))["name"]!);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"model":1}""")]
    [InlineData("""{"model":{"name":"a"}}""")]
    [InlineData("""{"model":{"name":"","root":{}}}""")]
    [InlineData("""{"model":{"name":"a","name":"b","root":{"id":"r","type":"Elsa.Flowchart"}}}""")]
    [InlineData("""{"model":{"name":"a","root":{"type":"Elsa.Flowchart"}}}""")]
    [InlineData("""{"model":{"name":"a","root":{"id":"r","type":"Elsa.Flowchart","activities":["x"]}}}""")]
    [InlineData("""{"model":{"name":"a","root":{"id":"r","type":"Elsa.Flowchart","activities":[{"id":1,"type":"X"}]}}}""")]
    [InlineData("""{"model":{"name":"a","description":"\ud800","root":{"id":"r","type":"Elsa.Flowchart"}}}""")]
    [InlineData("""{"model":{"name":"a","definitionId":"a/b","root":{"id":"r","type":"Elsa.Flowchart"}}}""")]
    [InlineData("""{"model":{"name":"a","root":{"id":"r"}}}""", "no root")]
    [InlineData("""{"model":{"name":"a","root":{"id":"r","type":"Elsa.Flowchart","activities":[{"id":"x","type":"X","version":1.5}]}}}""", "1.5")]
    [InlineData("""{"model":{"name":"a","root":{"id":"r","type":"Elsa.Flowchart","activities":[{"id":"x","type":"X","version":99999999999}]}}}""", "99999999999")]
    [InlineData("""{"model":{"name":"a","root":{"id":"r","type":"Elsa.Flowchart","activities":[{"id":"x\u0000","type":"X"}]}}}""", "Each id")]
    [InlineData("""{"model":{"name":"a","root":{"id":"r","type":"Elsa.Flowchart","activities":[{"id":"x","type":"X","name":"\u0000"}]}}}""", "Each name")]
    [InlineData("""{"model":{"name":"a","variables":[{"id":"v","name":null}],"root":{"id":"r","type":"Elsa.Flowchart"}}}""", "Each name")]
    public async Task An_invalid_definition_is_refused_with_a_reason(string json, string reason = "")
    {
        using var response = await Studio.Client.PostAsync($"{Studio.Base}/workflow-definitions", new StringContent(json, Encoding.UTF8, "application/json"));
        Assert.Contains(reason, Assert.Single(await Studio.ErrorsAsync(response)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_definition_that_is_too_large_is_refused_with_a_reason()
    {
        var json = new JsonObject { ["model"] = new JsonObject { ["name"] = "a", ["description"] = new string('x', 5 * 1024 * 1024) } }.ToJsonString();
        using var response = await Studio.Client.PostAsync($"{Studio.Base}/workflow-definitions", new StringContent(json, Encoding.UTF8, "application/json"));
        Assert.Contains("Server:MaxBodyBytes", Assert.Single(await Studio.ErrorsAsync(response)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(20, 3)]
    public async Task A_zip_that_unpacks_to_too_much_is_refused(int entries, int megabytes)
    {
        var definition = Encoding.UTF8.GetBytes(
            $$$"""{"name":"{{{new string('x', megabytes * 1024 * 1024)}}}","root":{"id":"r","type":"Elsa.Flowchart"}}""");
        using var buffer = new MemoryStream();
        using (var zip = new ZipArchive(buffer, ZipArchiveMode.Create, leaveOpen: true))
            for (var i = 0; i < entries; i++)
            {
                using var stream = zip.CreateEntry($"{i}.json").Open();
                stream.Write(definition);
            }

        Assert.True(buffer.Length < 1024 * 1024, "The zip itself is large.");
        using var response = await ImportAsync((buffer.ToArray(), "bomb.zip"));
        Assert.Contains("Server:MaxBodyBytes", Assert.Single(await Studio.ErrorsAsync(response)), StringComparison.Ordinal);
    }

    public static TheoryData<byte[], string> BadZips => new()
    {
        { [], "not a zip file" },
        { "{}"u8.ToArray(), "not a zip file" },
        { Encoding.UTF8.GetBytes(SavedByStudio), "not a zip file" },
        { Zip("a.json")[..^1], "not a zip file" },
        { Zip("a.json")[10..], "not a zip file" },
        { Zip(), "no definitions" },
        { Zip("readme.txt", "__MACOSX/a.json"), "no definitions" },
    };

    [Theory]
    [MemberData(nameof(BadZips))]
    public async Task A_zip_that_is_empty_or_not_one_is_refused_with_a_reason(byte[] zip, string reason)
    {
        using var response = await ImportAsync((zip, "definitions.zip"));
        Assert.Contains(reason, Assert.Single(await Studio.ErrorsAsync(response)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--b\r\nContent-Disposition: form-data; name=files; filename=a.json\r\n\r\n{}", "not a complete multipart form")]
    [InlineData("--b\r\nContent-Disposition: form-data", "not a complete multipart form")]
    [InlineData("", "no files")]
    [InlineData("--b--\r\n", "no files")]
    [InlineData("--b\r\nContent-Disposition: form-data; name=files\r\n\r\n{}\r\n--b--\r\n", "no files")]
    public async Task A_form_that_is_truncated_or_has_no_files_is_refused_with_a_reason(string body, string reason)
    {
        using var form = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        form.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=b");
        using var response = await Studio.Client.PostAsync($"{Studio.Base}/workflow-definitions/import-files", form);
        Assert.Contains(reason, Assert.Single(await Studio.ErrorsAsync(response)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task If_one_file_is_invalid_none_is_imported()
    {
        static byte[] File(string id) => Encoding.UTF8.GetBytes($$$"""{"name":"a","definitionId":"{{{id}}}","root":{"id":"r","type":"Elsa.Flowchart"}}""");

        using var response = await ImportAsync((File("good"), "good.json"), (File("not/good"), "bad.json"));

        Assert.Contains("no slash", Assert.Single(await Studio.ErrorsAsync(response)), StringComparison.Ordinal);
        using var missing = await Studio.Client.GetAsync($"{Studio.Base}/workflow-definitions/by-definition-id/good");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    private static byte[] Zip(params string[] names)
    {
        using var buffer = new MemoryStream();
        using (var zip = new ZipArchive(buffer, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var name in names)
                zip.CreateEntry(name);
        return buffer.ToArray();
    }

    private async Task<HttpResponseMessage> ImportAsync(params (byte[] Content, string Name)[] files)
    {
        using var form = new MultipartFormDataContent();
        foreach (var (content, name) in files)
            form.Add(new ByteArrayContent(content), "files", name);
        return await Studio.Client.PostAsync($"{Studio.Base}/workflow-definitions/import-files", form);
    }
}
