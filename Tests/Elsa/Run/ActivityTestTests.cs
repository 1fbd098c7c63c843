using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Darkroom.Access;
using Darkroom.Tests.Api;
using StudioWindow = Darkroom.Tests.Elsa.Definitions.Studio;

namespace Darkroom.Tests.Elsa.Run;

/// <summary>Studio's Test tab: one activity by itself.</summary>
public sealed class ActivityTestTests : ApiTest
{
    private StudioWindow Studio { get; set; } = null!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Studio = new StudioWindow(await Api.ClientAsync("editor", Scopes.WorkflowsEdit), "one");
        await Studio.OpenAsync("image-compression");
    }

    [Fact]
    public async Task A_decision_uses_the_test_values_of_variables()
    {
        Studio.Definition["variables"] = new JsonArray(new JsonObject { ["id"] = "v1", ["name"] = "Limit", ["typeName"] = "Int32", ["value"] = "5" });
        StudioWindow.Add(Studio.Root, "ask", "Elsa.FlowDecision");
        Studio.Set("ask", "condition", "variables.Limit > 5 && getInput('Images') === 3", "JavaScript");
        await Studio.SaveAsync();
        Assert.Equal(("Completed", "False"), await OutcomeAsync("ask"));

        Studio.Definition["customProperties"]!["VariableTestValues"] = new JsonObject { ["v1"] = "6" };
        await Studio.SaveAsync();
        Assert.Equal(("Completed", "True"), await OutcomeAsync("ask"));
    }

    [Fact]
    public async Task In_the_body_of_a_fan_out_the_image_is_the_first_of_the_sample()
    {
        StudioWindow.Add(Studio.Body, "line", "Elsa.WriteLine");
        Studio.Set("line", "text", "{{ Image.Format }} {{ Image.Width }}x{{ Image.Height }}", "Liquid");
        await Studio.SaveAsync();

        var result = await TestAsync("line");

        Assert.Matches("^jpeg [1-9][0-9]+x[1-9][0-9]+$", result.GetProperty("outputs").GetProperty("Line").GetString());
    }

    [Fact]
    public async Task An_activity_that_acts_on_a_request_only_has_its_inputs_evaluated_and_says_so()
    {
        Studio.Set("compress", "quality", "30 + 40", "JavaScript");
        await Studio.SaveAsync();

        var result = await TestAsync("compress");

        Assert.Equal("Pending", result.GetProperty("status").GetString());
        Assert.Equal(70, result.GetProperty("activityState").GetProperty("Quality").GetInt32());
        Assert.Contains("Not run", result.GetProperty("payload").GetProperty("Outcomes").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("700", "Literal", "Quality must be between 1 and 100")]
    [InlineData("nothing.here", "JavaScript", "Quality: it failed")]
    public async Task An_input_that_cannot_be_evaluated_is_a_fault_with_the_reason(string value, string language, string reason)
    {
        Studio.Set("compress", "quality", value, language);
        await Studio.SaveAsync();

        var result = await TestAsync("compress");

        Assert.Equal("Faulted", result.GetProperty("status").GetString());
        Assert.Contains(reason, result.GetProperty("exception").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_is_not_shown()
    {
        StudioWindow.Add(Studio.Root, "call", "Elsa.FlowSendHttpRequest");
        Studio.Set("call", "url", "https://example.com/");
        Studio.Set("call", "authorization", "Bearer secret");
        await Studio.SaveAsync();

        Assert.DoesNotContain("secret", (await TestAsync("call")).GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_activity_and_a_caller_who_may_only_read_are_refused()
    {
        using var missing = await PostAsync(Studio, "Workflow1:Flowchart1:gone");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);

        var reader = new StudioWindow(await Api.ClientAsync("reader", Scopes.WorkflowsRead));
        await reader.OpenAsync("image-compression");
        using var refused = await PostAsync(reader, "Workflow1:Flowchart1:upload");
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    private async Task<(string? Status, string? Outcome)> OutcomeAsync(string activity)
    {
        var result = await TestAsync(activity);
        return (result.GetProperty("status").GetString(), result.GetProperty("payload").GetProperty("Outcomes").GetString());
    }

    private async Task<JsonElement> TestAsync(string activity)
    {
        using var response = await PostAsync(Studio, (string)Studio.Activity(activity)["nodeId"]!);
        return await response.JsonAsync();
    }

    private static Task<HttpResponseMessage> PostAsync(StudioWindow studio, string nodeId) => studio.PostAsync("/tests/activities", new JsonObject
    {
        ["workflowDefinitionHandle"] = new JsonObject { ["definitionId"] = null, ["versionOptions"] = null, ["definitionVersionId"] = studio.Id },
        ["activityHandle"] = new JsonObject { ["activityId"] = null, ["activityNodeId"] = nodeId },
    });
}
