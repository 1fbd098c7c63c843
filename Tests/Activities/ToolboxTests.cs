using System.Text.Json.Nodes;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Flow;
using Darkroom.Images;
using Darkroom.Tests.Engine;
using Darkroom.Tests.Runs;

namespace Darkroom.Tests.Activities;

public sealed class ToolboxTests
{
    [Theory]
    [InlineData("variables.Count > 3", "yes")]
    [InlineData("variables.Count > 9", "no")]
    public async Task A_decision_takes_one_path_and_both_may_join_again(string condition, string taken)
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
    public async Task If_runs_its_branch_and_continues_after_it(string condition, string? inner)
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
        await rig.SkipDelaysAsync();
        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(["set Completed", "wait Completed", "fault Faulted"], await rig.JournalAsync());
        Assert.Equal(("failed", "count_5"), await rig.StatusAsync(request));
    }

    [Fact]
    public async Task The_next_timer_is_known_and_without_one_nothing_is_due()
    {
        await using var rig = await StartAsync();
        var process = await rig.ProcessAsync();
        Assert.Null(await process.Instances.NextReadyAsync(default));

        await rig.RequestAsync(new WorkflowJson().Activity("wait", "Elsa.Delay", ("timeSpan", "Literal", "01:00:00")));
        Assert.Equal(TimeSpan.Zero, await process.Instances.NextReadyAsync(default));
        await process.RunAllAsync();
        Assert.InRange((await process.Instances.NextReadyAsync(default))!.Value, TimeSpan.FromMinutes(50), TimeSpan.FromMinutes(60));

        await rig.Database.DataSource.Sql("update bookmarks set due_at = now(); update workflow_instances set ready_at = now()").ExecuteNonQueryAsync();
        await process.RunAllAsync();
        Assert.Null(await process.Instances.NextReadyAsync(default));
    }

    [Fact]
    public async Task A_failing_expression_faults_at_once_and_names_activity_and_input()
    {
        await using var rig = await StartAsync();
        var request = await rig.RequestAsync(new WorkflowJson().Activity("line", "Elsa.WriteLine", ("text", "JavaScript", "nothing.here")));

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(("failed", "expression_failed"), await rig.StatusAsync(request));
        Assert.StartsWith("line: Text: ", await rig.ErrorMessageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_delay_in_a_branch_resumes_and_continues_after_its_owner()
    {
        await using var rig = await StartAsync();
        await rig.RequestAsync(new WorkflowJson()
            .Activity("if", "Elsa.If", ("condition", "Literal", "True"))
            .WithBranch("if", "then", new WorkflowJson().Next("wait", "Elsa.Delay", ("timeSpan", "Literal", "00:10:00")).Next("inner", "Elsa.WriteLine"))
            .Next("after", "Elsa.WriteLine"));
        var process = await rig.ProcessAsync();
        await process.RunAllAsync();
        Assert.Equal(["if Completed", "wait Running"], await rig.JournalAsync());

        await rig.SkipDelaysAsync();
        await process.RunAllAsync();

        Assert.Equal(["if Completed", "wait Completed", "inner Completed", "after Completed"], await rig.JournalAsync());
    }

    [Theory]
    [InlineData("Elsa.Complete", "outer Completed", "inner Completed", "end Completed", "between Completed", "after Completed")]
    [InlineData("Elsa.Finish", "outer Completed", "inner Completed", "end Completed")]
    public async Task Complete_leaves_one_branch_and_Finish_the_whole_workflow(string end, params string[] journal)
    {
        await using var rig = await StartAsync();
        var inner = new WorkflowJson().Next("inner", "Elsa.If", ("condition", "Literal", "True")).WithBranch("inner", "then", new WorkflowJson().Next("end", end))
            .Next("between", "Elsa.WriteLine");
        await rig.RequestAsync(new WorkflowJson()
            .Next("outer", "Elsa.If", ("condition", "Literal", "True")).WithBranch("outer", "then", inner).Next("after", "Elsa.WriteLine"));

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(journal, await rig.JournalAsync());
    }

    [Theory]
    [InlineData("Int32", "'many'")]
    [InlineData("Boolean", "({ a: 1 })")]
    [InlineData("Double", "[1, 2]")]
    public async Task A_variable_rejects_a_value_of_another_type(string type, string value)
    {
        await using var rig = await StartAsync();
        var request = await rig.RequestAsync(Set(type, value));

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(("failed", "wrong_type"), await rig.StatusAsync(request));
        Assert.StartsWith($"set: Variable Target is of type {type}; ", await rig.ErrorMessageAsync(), StringComparison.Ordinal);
        Assert.Equal(["set Faulted"], await rig.JournalAsync());
    }

    [Fact]
    public async Task An_output_bound_to_a_variable_of_another_type_faults_its_activity()
    {
        await using var rig = await StartAsync();
        var request = await rig.RequestAsync(new WorkflowJson().Variable("v1", "Target", "7", "Int32")
            .Activity("if", "Elsa.If", ("condition", "Literal", "True"))
            .With("if", "result", new JsonObject { ["typeName"] = "Boolean", ["memoryReference"] = new JsonObject { ["id"] = "v1" } })
            .Next("after", "Elsa.WriteLine"));

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(("failed", "wrong_type"), await rig.StatusAsync(request));
        Assert.Equal("if: Variable Target is of type Int32; 'true' is none.", await rig.ErrorMessageAsync());
        Assert.Equal(["if Faulted"], await rig.JournalAsync());
    }

    [Theory]
    [InlineData("({ text: 'a\\0b' })")]
    [InlineData("({ ['a\\0b']: '\\ud800' })")]
    [InlineData("'a\\0b'")]
    [InlineData("setVariable('Target', 'a\\0b'); return 1")]
    [InlineData("'\\ud800'")]
    [InlineData("let deep = []; for (let i = 0; i < 63; i++) deep = [deep]; return deep")]
    [InlineData("'['.repeat(63) + ']'.repeat(63)")]
    [InlineData("'{\"a\":\"\\\\u0000\",\"b\":1e999999}'")]
    public async Task A_value_that_the_database_cannot_store_stops_neither_the_workflow_nor_the_process(string value)
    {
        await using var rig = await StartAsync();
        await rig.RequestAsync(Set("Object", value));

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal("Finished", await rig.Database.DataSource.Sql("select status from workflow_instances").ExecuteScalarAsync());
    }

    [Theory]
    [InlineData("Elsa.Delay", "timeSpan", "-00:00:01", "between 0 and 366")]
    [InlineData("Elsa.WriteLine", "text", "{% if %}", "not Liquid")]
    [InlineData("Elsa.Parallel", "x", "1", "not an activity that is known here")]
    public void A_definition_that_cannot_run_is_refused_with_the_reason(string type, string input, string value, string reason)
    {
        var json = new WorkflowJson().Activity("one", type, (input, value.StartsWith('{') ? "Liquid" : "Literal", value)).Build();

        var error = Assert.Throws<WorkflowDefinitionException>(() => CompiledWorkflow.Compile(WorkflowDocument.Parse(json), new ActivityCatalog(Toolbox.With())));

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_sample_image_exists_and_is_an_image()
    {
        foreach (var line in System.Text.Encoding.UTF8.GetString(SampleImages.Csv).Split([' ', ',', '"', '\n']).Where(text => text.StartsWith("https://", StringComparison.Ordinal)))
        {
            using var image = await SampleImages.OpenAsync(new Uri(line), default);
            Assert.True(image.Length > 1_000);
        }
    }

    /// <summary>Sets the variable Target to the value of an expression, then continues.</summary>
    private static WorkflowJson Set(string type, string value) => new WorkflowJson().Variable("v1", "Target", "", type)
        .Next("set", "Elsa.SetVariable", ("value", "JavaScript", value)).With("set", "variable", new JsonObject { ["id"] = "v1", ["name"] = "Target" })
        .Next("after", "Elsa.WriteLine");

    private static Task<EngineRig> StartAsync() => EngineRig.StartAsync(Toolbox.With());
}
