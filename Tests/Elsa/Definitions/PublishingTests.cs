using System.Text.Json.Nodes;
using Darkroom.Access;
using Darkroom.Tests.Api;

namespace Darkroom.Tests.Elsa.Definitions;

/// <summary>Publishing validates a definition, and never loses a draft.</summary>
public sealed class PublishingTests : ApiTest
{
    private const string Default = "image-compression";

    private Studio Studio { get; set; } = null!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Studio = new Studio(await Api.ClientAsync("editor", Scopes.WorkflowsEdit), "one");
        await Studio.OpenAsync(Default);
    }

    [Fact]
    public async Task All_errors_are_reported_at_once_and_the_draft_is_saved()
    {
        Studio.Set("compress", "quality", "700");
        Studio.Set("fan-out", "maxAttempts", "often");
        Studio.Set("notify", "payload", "1 + 1", "Cobol");
        Studio.Add(Studio.Root, "stray", "Darkroom.CompressImage");
        Studio.Connect(Studio.Root, "upload", "Never", "validate");
        var errors = await Studio.RefusedAsync(publish: true);

        Contains(errors, "Fan out (FanOutImages1) / Compress (CompressImage1): Quality must be between 1 and 100");
        Contains(errors, "Fan out (FanOutImages1): MaxAttempts must be of type Int32, not 'often'.");
        Contains(errors, "Payload", "Cobol");
        Contains(errors, "stray: Darkroom.CompressImage belongs in the body of a fan-out.");
        Contains(errors, "stray: it is never reached.");
        Contains(errors, "Upload (CsvUploaded1): it has no outcome Never.");
        await Studio.OpenAsync(Default);
        Assert.Equal(2, Studio.Version);
        Assert.False((bool)Studio.Definition["isPublished"]!);
        Assert.Equal("700", (string)Studio.Activity("compress")["quality"]!["expression"]!["value"]!);
    }

    [Fact]
    public async Task Connections_and_fan_outs_are_checked()
    {
        Studio.Connect(Studio.Root, "notify", "Done", "gone");
        Contains(await Studio.RefusedAsync(publish: true), "Notify", "Done leads nowhere");

        await Studio.OpenAsync(Default);
        RemoveLast(Studio.Root);
        Studio.Add(Studio.Root, "second", "Darkroom.FanOutImages");
        Studio.Connect(Studio.Root, "notify", "Done", "second");
        var errors = await Studio.RefusedAsync(publish: true);
        Contains(errors, "may fan out only once", "second");
        Contains(errors, "second: it has no body.");
    }

    [Fact]
    public async Task The_body_is_checked()
    {
        var body = Studio.Body;
        var last = (string)body["activities"]!.AsArray().Select(a => a!.AsObject()).Single(a => (string)a["type"]! == "Darkroom.StoreImage")["id"]!;
        Studio.Add(body, "again", "Darkroom.StoreImage");
        Studio.Connect(body, last, "Done", "again");
        Studio.Add(body, "wrong", "Darkroom.NotifyWebhook");
        Studio.Connect(body, "again", "Done", "wrong");
        var errors = await Studio.RefusedAsync(publish: true);

        Contains(errors, "again", "may happen only once on a path");
        Contains(errors, "wrong", "cannot run inside the body of a fan-out");
    }

    [Fact]
    public async Task A_workflow_without_effect_is_not_published_but_may_be_tried()
    {
        Studio.Remove(Studio.Body, "download");
        var errors = await Studio.RefusedAsync(publish: true);
        Contains(errors, "Store original (StoreOriginal1): it can be reached without Download image");
        Contains(errors, "Compress (CompressImage1): it can be reached without Download image");

        await Studio.PostOkAsync($"/workflow-definitions/{Default}/revert/1");
        await Studio.OpenAsync(Default);
        Studio.Remove(Studio.Body, "store-image");
        Studio.Add(Studio.Body, "small", "Darkroom.ResizeImage");
        Studio.Connect(Studio.Body, "compress", "Done", "small");
        Studio.Remove(Studio.Root, "aggregate");
        errors = await Studio.RefusedAsync(publish: true);
        Contains(errors, "The body of Fan out (FanOutImages1) has no Store image, so that no image could succeed.");
        Contains(errors, "Compress (CompressImage1): no Store image follows it");
        Contains(errors, "small: Width or Height must be given.");
        Contains(errors, "The workflow has no Write output CSV, so that every request would fail.");

        using var tried = await Studio.PostAsync($"/workflow-definitions/{Default}/execute");
        Assert.True(tried.IsSuccessStatusCode, await tried.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_required_step_must_be_on_every_path()
    {
        // A decision bypasses the download and the loading of the CSV.
        Studio.Add(Studio.Body, "ask", "Elsa.FlowDecision");
        Studio.Connect(Studio.Body, "ask", "True", "download");
        Studio.Connect(Studio.Body, "ask", "False", "store-original");
        Studio.Connect(Studio.Root, "validate", "Invalid", "fan-out");
        Studio.Remove(Studio.Root, "refuse");
        var errors = await Studio.RefusedAsync(publish: true);

        Contains(errors, "Store image (StoreImage1): it can be reached without Download image");
        Contains(errors, "Fan out (FanOutImages1): it can be reached without Validate CSV (Valid)");
        Contains(errors, "Aggregate (WriteOutputCsv1): it can be reached without Validate CSV (Valid)");
    }

    [Theory]
    [InlineData("Elsa.FlowSendHttpRequest", "http://169.254.169.254/latest/meta-data", "not on the public internet")]
    [InlineData("Elsa.FlowSendHttpRequest", "http://[::ffff:10.0.0.1]/", "not on the public internet")]
    [InlineData("Elsa.FlowSendHttpRequest", "file:///etc/passwd", "Only http and https")]
    [InlineData("Elsa.FlowSendHttpRequest", "gopher://example.com/", "Only http and https")]
    [InlineData("Darkroom.NotifyWebhook", "https://0x7f.1/", "not on the public internet")]
    public async Task A_literal_URL_that_is_never_called_is_not_published_but_may_be_saved(string type, string url, string reason)
    {
        Studio.Add(Studio.Root, "call", type);
        Studio.Connect(Studio.Root, "notify", "Done", "call");
        Studio.Set("call", "url", url);

        Contains(await Studio.RefusedAsync(publish: true), "call: Url is refused", reason);

        await Studio.SaveAsync();
        Studio.Set("call", "url", "https://example.com/");
        await Studio.SaveAsync(publish: true);
    }

    [Fact]
    public async Task A_computed_URL_is_checked_when_it_is_called()
    {
        Studio.Add(Studio.Root, "call", "Elsa.FlowSendHttpRequest");
        Studio.Connect(Studio.Root, "notify", "Done", "call");
        Studio.Set("call", "url", "'file:///' + 'etc/passwd'", "JavaScript");

        await Studio.SaveAsync(publish: true);
    }

    [Theory]
    [InlineData("activationStrategyType", "Elsa.Workflows.ActivationValidators.SingletonStrategy, Elsa.Workflows.Runtime", "SingletonStrategy")]
    [InlineData("incidentStrategyType", "Elsa.Workflows.IncidentStrategies.ContinueWithIncidentsStrategy, Elsa.Workflows.Core", "ContinueWithIncidentsStrategy")]
    [InlineData("commitStrategyName", "Periodic", "Periodic")]
    [InlineData("usableAsActivity", "true", "used as an activity")]
    public async Task A_setting_that_would_be_ignored_is_refused(string option, string value, string named)
    {
        Studio.Definition["options"]![option] = value == "true" ? true : value;
        Contains(await Studio.RefusedAsync(publish: true), "Settings:", named);
    }

    [Theory]
    [InlineData("canStartWorkflow", "true", "Can start workflow")]
    [InlineData("runAsynchronously", "true", "Run asynchronously")]
    [InlineData("commitStrategyName", "\"Never\"", "commit strategy Never")]
    [InlineData("mergeMode", "\"Merge\"", "merge mode Merge")]
    [InlineData("resilienceStrategy", """{ "mode": "Identifier", "strategyId": "retry" }""", "resilience strategy")]
    public async Task A_setting_of_an_activity_that_would_be_ignored_is_refused(string setting, string value, string named)
    {
        foreach (var (activity, name) in new[] { ("notify", "NotifyWebhook1"), ("store-image", "StoreImage1") })
        {
            Studio.Activity(activity)["customProperties"] = new JsonObject { [setting] = JsonNode.Parse(value) };
            Contains(await Studio.RefusedAsync(publish: true), name, named);
            Studio.Activity(activity)["customProperties"] = new JsonObject { [setting] = value == "true" ? JsonValue.Create(false) : null };
        }

        await Studio.SaveAsync(publish: true);
    }

    [Fact]
    public async Task Declarations_that_would_be_ignored_are_refused()
    {
        Studio.Definition["outputs"] = new JsonArray(new JsonObject { ["name"] = "Total", ["type"] = "String" });
        Studio.Definition["outcomes"] = new JsonArray("Rejected");
        Studio.Definition["variables"] = new JsonArray(new JsonObject
        {
            ["id"] = "v",
            ["name"] = "Fleeting",
            ["typeName"] = "String",
            ["storageDriverTypeName"] = "Elsa.Workflows.MemoryStorageDriver, Elsa.Workflows.Core",
        });
        Studio.Root["variables"] = new JsonArray(new JsonObject { ["id"] = "s", ["name"] = "Scoped", ["typeName"] = "String" });
        Studio.Set("notify", "channel", "mail");

        var errors = await Studio.RefusedAsync(publish: true);

        Contains(errors, "outcome Total");
        Contains(errors, "outcome Rejected");
        Contains(errors, "variable Fleeting", "Workflow instance");
        Contains(errors, "variable Scoped", "for the workflow");
        Contains(errors, "no input channel");
    }

    [Fact]
    public async Task An_HTTP_request_leaves_by_its_status_or_by_Done()
    {
        Studio.Add(Studio.Root, "call", "Elsa.FlowSendHttpRequest");
        Studio.Connect(Studio.Root, "notify", "Done", "call");
        Studio.Set("call", "url", "https://example.com/");
        foreach (var (outcome, target) in new[] { ("200", "ok"), ("Done", "other") })
        {
            Studio.Add(Studio.Root, target, "Elsa.WriteLine");
            Studio.Connect(Studio.Root, "call", outcome, target);
        }

        Contains(await Studio.RefusedAsync(publish: true), "call: 200 and Done are both connected");
    }

    [Fact]
    public async Task Every_setting_that_Studio_offers_is_accepted()
    {
        foreach (var (list, option) in new[] { ("workflow-activation-strategies", "activationStrategyType"), ("incident-strategies", "incidentStrategyType") })
        {
            var offered = (await Studio.GetAsync($"/descriptors/{list}"))["items"]!.AsArray();
            Studio.Definition["options"]![option] = (string)Assert.Single(offered)!["typeName"]!;
        }

        await Studio.SaveAsync(publish: true);
    }

    [Fact]
    public async Task Only_the_first_of_very_many_errors_are_reported()
    {
        for (var i = 0; i < 300; i++)
        {
            Studio.Add(Studio.Body, $"again-{i}", "Darkroom.DownloadImage");
            Studio.Connect(Studio.Body, i == 0 ? "store-image" : $"again-{i - 1}", "Done", $"again-{i}");
        }

        var errors = await Studio.RefusedAsync(publish: true);
        Assert.Equal(100, errors.Length);
        Assert.StartsWith("There is more", errors[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_text_that_is_too_long_for_a_journal_is_refused()
    {
        Studio.Set("notify", "payload", new string('x', 70_000));
        Contains(await Studio.RefusedAsync(publish: true), "Payload has more than 65,536 characters.");
    }

    [Fact]
    public async Task A_workflow_with_too_many_activities_is_refused()
    {
        for (var i = 0; i < 1_000; i++)
            Studio.Add(Studio.Body, $"line-{i}", "Elsa.WriteLine");

        Assert.Equal("A workflow may have 1,000 activities; this one has 1,010.", Assert.Single(await Studio.RefusedAsync(publish: true)));
    }

    [Fact]
    public async Task Variables_must_exist()
    {
        Studio.Set("compress", "quality", """{"id":"gone","name":"Quality"}""", "Variable");
        Contains(await Studio.RefusedAsync(publish: true), "Compress (CompressImage1): Quality names a variable that does not exist.");

        await Studio.OpenAsync(Default);
        Studio.Definition["variables"] = new JsonArray(new JsonObject
        {
            ["id"] = "gone",
            ["name"] = "Quality",
            ["typeName"] = "Int32",
            ["isArray"] = false,
            ["value"] = "60",
            ["storageDriverTypeName"] = "Workflow",
        });
        await Studio.SaveAsync(publish: true);
    }

    [Theory]
    [InlineData("Elsa.Sequence")]
    [InlineData("Elsa.StateMachine")]
    public async Task Unsupported_containers_are_refused_when_they_are_saved(string type)
    {
        using (var response = await Studio.PostAsync("/workflow-definitions", Studio.CreateBody("Mine", type)))
            Contains(await Studio.ErrorsAsync(response), type);
        Studio.Activity("fan-out")["body"] = new JsonObject { ["id"] = "b", ["type"] = type, ["version"] = 1, ["activities"] = new JsonArray() };
        Contains(await Studio.RefusedAsync(), "FanOutImages1", type, "Flowchart");
    }

    [Fact]
    public async Task An_unknown_activity_is_shown_as_a_placeholder_and_restored_on_save()
    {
        Studio.Add(Studio.Root, "foreign", "Acme.Stamp", activity =>
        {
            activity["version"] = 3;
            activity["ink"] = new JsonObject { ["typeName"] = "String", ["expression"] = new JsonObject { ["type"] = "Literal", ["value"] = "red" } };
        });
        await Studio.SaveAsync();

        var placeholder = Studio.Activity("foreign");
        Assert.Equal("Elsa.NotFoundActivity", (string)placeholder["type"]!);
        Assert.Equal("Acme.Stamp", (string)placeholder["missingTypeName"]!);
        Assert.EndsWith(":foreign", (string)placeholder["nodeId"]!, StringComparison.Ordinal);
        placeholder["metadata"] = new JsonObject { ["designer"] = new JsonObject { ["position"] = new JsonObject { ["x"] = 7, ["y"] = 8 } } };
        await Studio.SaveAsync();
        Contains(await Studio.RefusedAsync(publish: true), "foreign: Acme.Stamp version 3 is not an activity that is known here.");

        var file = await Studio.GetAsync($"/workflow-definitions/{Default}/export");
        var original = file["root"]!["activities"]!.AsArray().Single(a => (string)a!["id"]! == "foreign")!;
        Assert.Equal("Acme.Stamp", (string)original["type"]!);
        Assert.Equal(3, (int)original["version"]!);
        Assert.Equal("red", (string)original["ink"]!["expression"]!["value"]!);
        Assert.Equal(7, (int)original["metadata"]!["designer"]!["position"]!["x"]!);
        Assert.Null(original["originalActivityJson"]);
    }

    private static void RemoveLast(JsonObject flowchart)
    {
        var connections = flowchart["connections"]!.AsArray();
        if ((string)connections[^1]!["target"]!["activity"]! == "gone")
            connections.RemoveAt(connections.Count - 1);
    }

    private static void Contains(string[] errors, params string[] parts) =>
        Assert.True(errors.Any(error => parts.All(part => error.Contains(part, StringComparison.Ordinal))), string.Join("\n", errors));
}
