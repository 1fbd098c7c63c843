using System.Text.Json;
using System.Text.Json.Nodes;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Engine.Bodies;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Expressions;
using Darkroom.Engine.Flow;
using Darkroom.Tests.Activities;
using Darkroom.Tests.Engine;

namespace Darkroom.Tests.Runs;

/// <summary>What an author excludes from the log is in no journal.</summary>
public sealed class LogPersistenceTests
{
    private const string Exclude = """{ "evaluationMode": "Strategy", "strategyType": "Elsa.Workflows.LogPersistence.Strategies.Exclude, Elsa.Workflows.Core", "expression": null }""";
    private const string Include = """{ "evaluationMode": "Strategy", "strategyType": "Elsa.Workflows.LogPersistence.Strategies.Include, Elsa.Workflows.Core", "expression": null }""";
    private const string Inherit = """{ "evaluationMode": "Strategy", "strategyType": "Elsa.Workflows.LogPersistence.Strategies.Inherit, Elsa.Workflows.Core", "expression": null }""";
    private const string Expression = """{ "evaluationMode": "Expression", "strategyType": null, "expression": { "type": "JavaScript", "value": "\"Include\"" } }""";

    [Theory]
    [InlineData(null, null, "Number Flag Text | Result")]
    [InlineData("{ \"logPersistenceConfig\": { \"default\": " + Exclude + " } }", null, " | ")]
    [InlineData("{ \"logPersistenceMode\": { \"default\": \"Exclude\" } }", null, " | ")]
    [InlineData(null, "{ \"logPersistenceConfig\": { \"default\": " + Exclude + " } }", " | ")]
    [InlineData(null, "{ \"logPersistenceConfig\": { \"inputs\": { \"text\": " + Exclude + " } } }", "Number Flag | Result")]
    [InlineData(null, "{ \"logPersistenceConfig\": { \"outputs\": { \"result\": " + Exclude + " } } }", "Number Flag Text | ")]
    [InlineData(null, "{ \"logPersistenceConfig\": { \"inputs\": { \"text\": " + Expression + " } } }", "Number Flag | Result")]
    [InlineData(null, "{ \"logPersistenceMode\": { \"default\": \"Inherit\", \"inputs\": { \"text\": \"Exclude\" } } }", "Number Flag | Result")]
    [InlineData("{ \"logPersistenceConfig\": { \"default\": " + Exclude + " } }", "{ \"logPersistenceConfig\": { \"default\": " + Include + " } }", "Number Flag Text | Result")]
    [InlineData("{ \"logPersistenceConfig\": { \"default\": " + Exclude + " } }", "{ \"logPersistenceConfig\": { \"default\": " + Inherit + ", \"inputs\": { \"text\": " + Include + " } } }", "Text | ")]
    public async Task The_journal_keeps_what_the_most_specific_setting_keeps(string? ofWorkflow, string? ofActivity, string kept)
    {
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", _ => new ActivityResult.Completed { Outputs = new Dictionary<string, object?> { ["Result"] = "secret" } }));
        var json = new WorkflowJson().Activity("first", "Test.First", ("text", "Literal", "secret"));
        if (ofActivity is not null)
            json.With("first", "customProperties", JsonNode.Parse(ofActivity)!);
        if (ofWorkflow is not null)
            json.WithSettings(JsonNode.Parse(ofWorkflow)!);
        await rig.RequestAsync(json);

        await (await rig.ProcessAsync()).RunAllAsync();

        var journal = await rig.Database.DataSource.Sql(
                """
                select coalesce((select string_agg(key, ' ' order by length(key) desc, key) from jsonb_object_keys(inputs) key), '')
                       || ' | '
                       || coalesce((select string_agg(key, ' ') from jsonb_object_keys(outputs) key), '')
                from activity_executions
                """)
            .ExecuteScalarAsync();
        Assert.Equal(kept, journal);
    }

    [Theory]
    [InlineData(Inherit, true)]
    [InlineData(Exclude, false)]
    public async Task A_line_of_an_image_is_kept_unless_it_is_excluded(string mode, bool isKept)
    {
        var body = new WorkflowJson().Activity("line", "Elsa.WriteLine", ("text", "Literal", "secret"))
            .With("line", "customProperties", JsonNode.Parse($$"""{ "logPersistenceConfig": { "inputs": { "text": {{mode}} } } }""")!);
        var catalog = new ActivityCatalog([.. Toolbox.With(), new ScriptedFanOut().Registration]);
        var workflow = CompiledWorkflow.Compile(
            WorkflowDocument.Parse(new WorkflowJson().Activity("fan", "Test.FanOut").WithBody("fan", body).Build()), catalog);
        using var run = new ImageRun(new ClaimedImage(new ImageId(1), default, 1, 1, 1, 1, "https://cdn.example.com/1.jpg", 1, 0, default), TimeProvider.System);

        await workflow.Body("fan").Bind(new ExpressionScope { Variables = new Dictionary<string, JsonElement>() }).RunAsync(run, CancellationToken.None);

        Assert.Equal(isKept, run.Journal("failed").Contains("secret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{ "logPersistenceConfig": { "default": """ + Expression + " } }", "an expression")]
    [InlineData("""{ "logPersistenceConfig": { "default": { "strategyType": "Elsa.Workflows.LogPersistence.Strategies.Configuration, Elsa.Workflows.Core" } } }""", "Configuration")]
    [InlineData("""{ "logPersistenceMode": { "default": "Sometimes" } }""", "Sometimes")]
    public void Modes_that_are_not_run_here_are_not_published(string settings, string mode)
    {
        var json = new WorkflowJson().Activity("first", "Elsa.WriteLine").With("first", "customProperties", JsonNode.Parse(settings)!).WithSettings(JsonNode.Parse(settings)!);
        var errors = new ValidationErrors();

        CompiledWorkflow.Check(WorkflowDocument.Parse(json.Build()), new ActivityCatalog(Toolbox.With()), errors, publishing: true);

        Assert.Contains($"first: log persistence by {mode} is not run here. Choose Include, Exclude or Inherit.", errors.Messages);
        Assert.Contains($"Settings: log persistence by {mode} is not run here. Choose Include, Exclude or Inherit.", errors.Messages);
    }
}
