using System.Net;
using System.Text.Json.Nodes;
using Darkroom.Activities;
using Darkroom.Engine;
using Darkroom.Images;
using Darkroom.Schema;
using Darkroom.Tests.Engine;
using Darkroom.Tests.Webhooks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Activities;

public sealed class ToolboxTests
{
    [Theory]
    [InlineData("variables.Count > 3", "yes")]
    [InlineData("variables.Count > 9", "no")]
    public async Task A_decision_takes_one_way_and_both_ways_may_meet_again(string condition, string taken)
    {
        await using var rig = await StartAsync();
        await rig.RequestAsync(new WorkflowJson().Variable("v1", "Count", "4", "Int32")
            .Activity("ask", "Elsa.FlowDecision", ("condition", "JavaScript", condition))
            .Activity("yes", "Elsa.WriteLine", ("text", "Literal", "yes")).Activity("no", "Elsa.WriteLine", ("text", "Literal", "no"))
            .Activity("after", "Elsa.WriteLine", ("text", "Liquid", "{{ Variables.Count }}"))
            .Connect("ask", "True", "yes").Connect("ask", "False", "no").Connect("yes", "Done", "after").Connect("no", "Done", "after"));

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(["ask Completed", $"{taken} Completed", "after Completed"], await rig.JournalAsync());
    }

    [Theory]
    [InlineData("true", "inner Completed")]
    [InlineData("false", null)]
    public async Task If_runs_its_branch_and_goes_on_behind_it(string condition, string? inner)
    {
        await using var rig = await StartAsync();
        await rig.RequestAsync(new WorkflowJson()
            .Activity("if", "Elsa.If", ("condition", "JavaScript", condition))
            .WithBranch("if", "then", new WorkflowJson().Activity("inner", "Elsa.WriteLine", ("text", "Literal", "in")).Activity("leave", "Elsa.Complete")
                .Connect("inner", "Done", "leave"))
            .Activity("after", "Elsa.WriteLine", ("text", "Literal", "after")).Connect("if", "Done", "after"));

        await (await rig.ProcessAsync()).RunAllAsync();

        var expected = inner is null ? ["if Completed", "after Completed"] : new[] { "if Completed", inner, "leave Completed", "after Completed" };
        Assert.Equal(expected, await rig.JournalAsync());
    }

    [Fact]
    public async Task Finish_in_a_branch_ends_the_workflow()
    {
        await using var rig = await StartAsync();
        await rig.RequestAsync(new WorkflowJson()
            .Activity("if", "Elsa.If", ("condition", "Literal", "True"))
            .WithBranch("if", "then", new WorkflowJson().Activity("end", "Elsa.Finish"))
            .Activity("after", "Elsa.WriteLine").Connect("if", "Done", "after"));

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(["if Completed", "end Completed"], await rig.JournalAsync());
    }

    [Fact]
    public async Task Variables_survive_a_delay_that_another_process_ends()
    {
        await using var rig = await StartAsync();
        var request = await rig.RequestAsync(new WorkflowJson().Variable("v1", "Count", "4", "Int32")
            .Activity("set", "Elsa.SetVariable", ("value", "JavaScript", "variables.Count + 1")).With("set", "variable", new JsonObject { ["id"] = "v1", ["name"] = "Count" })
            .Activity("wait", "Elsa.Delay", ("timeSpan", "Literal", "01:00:00"))
            .Activity("fault", "Elsa.Fault", ("code", "Liquid", "count_{{ Variables.Count }}"))
            .Connect("set", "Done", "wait").Connect("wait", "Done", "fault"));
        var first = await rig.ProcessAsync();
        await first.RunAllAsync();
        Assert.Equal(["set Completed", "wait Running"], await rig.JournalAsync());
        Assert.Null(await first.Instances.ClaimNextAsync(default));

        await rig.DeclareDeadAsync(first);
        await rig.Database.DataSource.Sql(
            "update bookmarks set due_at = now() - interval '1 second'; update workflow_instances set ready_at = now() - interval '1 second'").ExecuteNonQueryAsync();
        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(["set Completed", "wait Completed", "fault Faulted"], await rig.JournalAsync());
        Assert.Equal(("failed", "count_5"), await rig.StatusAsync(request));
    }

    [Fact]
    public async Task An_expression_that_fails_faults_at_once_and_names_activity_and_input()
    {
        await using var rig = await StartAsync();
        var request = await rig.RequestAsync(new WorkflowJson().Activity("line", "Elsa.WriteLine", ("text", "JavaScript", "nothing.here")));

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(("failed", "expression_failed"), await rig.StatusAsync(request));
        var message = (string)(await rig.Database.DataSource.Sql("select error_message from csv_data_table").ExecuteScalarAsync())!;
        Assert.StartsWith("line: Text: ", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_http_request_carries_its_execution_id_and_its_answer_reaches_a_bound_variable()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = async context =>
        {
            context.Response.StatusCode = 201;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("{\"id\":7}");
        };
        await using var rig = await StartAsync();
        await rig.RequestAsync(Call(receiver.Url, "[201]").Variable("v1", "Answer", "", "Object")
            .With("call", "parsedContent", new JsonObject { ["typeName"] = "Object", ["memoryReference"] = new JsonObject { ["id"] = "v1" } })
            .Activity("fault", "Elsa.Fault", ("code", "JavaScript", "'got_' + variables.Answer.id + '_' + getOutputFrom('call', 'StatusCode')")).Connect("call", "201", "fault"));

        await (await rig.ProcessAsync()).RunAllAsync();

        var sent = await receiver.NextAsync();
        var execution = (Guid)(await rig.Database.DataSource.Sql("select id from activity_executions where activity_id = 'call'").ExecuteScalarAsync())!;
        Assert.Equal(execution.ToString("D"), sent.Headers["Idempotency-Key"]);
        Assert.Equal("got_7_201", await rig.Database.DataSource.Sql("select error_code from csv_data_table").ExecuteScalarAsync());
    }

    [Theory]
    [InlineData("http://10.0.0.1/", "forbidden_address")]
    [InlineData("http://169.254.169.254/latest/meta-data", "forbidden_address")]
    [InlineData("file:///etc/passwd", "forbidden_scheme")]
    public async Task An_http_request_to_a_forbidden_address_faults_at_once(string url, string code)
    {
        await using var rig = await StartAsync();
        var request = await rig.RequestAsync(Call(url, "[200]"));

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(("failed", code), await rig.StatusAsync(request));
    }

    [Fact]
    public async Task A_redirect_is_an_answer_and_is_not_followed()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = context =>
        {
            context.Response.Redirect("http://10.0.0.1/");
            return Task.CompletedTask;
        };
        await using var rig = await StartAsync();
        await rig.RequestAsync(Call(receiver.Url, "[200]").Activity("other", "Elsa.WriteLine").Connect("call", "Unmatched status code", "other"));

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(["call Completed", "other Completed"], await rig.JournalAsync());
    }

    [Theory]
    [InlineData("Elsa.Delay", "timeSpan", "-00:00:01", "between 0 and 366")]
    [InlineData("Elsa.WriteLine", "text", "{% if %}", "not Liquid")]
    [InlineData("Elsa.Parallel", "x", "1", "not an activity that is known here")]
    public void What_cannot_run_is_refused_with_the_reason(string type, string input, string value, string reason)
    {
        var json = new WorkflowJson().Activity("one", type, (input, value.StartsWith('{') ? "Liquid" : "Literal", value)).Build();

        var error = Assert.Throws<WorkflowDefinitionException>(() => CompiledWorkflow.Compile(json, new ActivityCatalog(Toolbox())));

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_sample_image_is_there_and_is_an_image()
    {
        foreach (var line in System.Text.Encoding.UTF8.GetString(SampleImages.Csv).Split([' ', ',', '"', '\n']).Where(text => text.StartsWith("https://", StringComparison.Ordinal)))
        {
            using var image = await SampleImages.OpenAsync(new Uri(line), default);
            Assert.True(image.Length > 1_000);
        }
    }

    private static WorkflowJson Call(string url, string codes) => new WorkflowJson()
        .Activity("call", "Elsa.FlowSendHttpRequest", ("url", "Literal", url), ("method", "Literal", "POST"), ("content", "JavaScript", "({ n: 1 })"), ("expectedStatusCodes", "Object", codes));

    private static Task<EngineRig> StartAsync() => EngineRig.StartAsync(Toolbox());

    private static ActivityRegistration[] Toolbox()
    {
        var guard = new EgressGuard(Options.Create(new EgressOptions { AllowLoopback = true }), new SystemNameResolver(), TimeProvider.System);
        return
        [
            new(FlowDecision.Descriptor, () => new FlowDecision()), new(Darkroom.Activities.If.Descriptor, () => new Darkroom.Activities.If()), new(SetVariable.Descriptor, () => new SetVariable()),
            new(WriteLine.Descriptor, () => new WriteLine()), new(Delay.Descriptor, () => new Delay()), new(Fault.Descriptor, () => new Fault()),
            new(Finish.Descriptor, () => new Finish()), new(Complete.Descriptor, () => new Complete()),
            new(SendHttpRequest.Descriptor, () => new SendHttpRequest(guard, TimeProvider.System, Options.Create(new Darkroom.Activities.HttpRequestOptions()))),
        ];
    }
}
