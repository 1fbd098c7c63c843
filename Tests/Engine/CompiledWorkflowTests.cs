using System.Text.Json;
using Darkroom.Engine;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Flow;
using Darkroom.Tests.Runs;

namespace Darkroom.Tests.Engine;

public sealed class CompiledWorkflowTests
{
    private static readonly ActivityCatalog Catalog = new(
    [
        new ScriptedActivity("Test.A", _ => new ActivityResult.Completed()).Registration,
        new ScriptedFanOut().Registration,
        new ScriptedImageActivity("Test.Image", (_, _) => "Done").Registration,
    ]);

    [Fact]
    public void Flow_follows_outcomes_and_ends_where_nothing_is_connected()
    {
        var workflow = Compile(new WorkflowJson()
            .Activity("one", "Test.A").Activity("two", "Test.A").Activity("three", "Test.A")
            .Connect("one", "Done", "two").Connect("one", "Other", "three"));

        Assert.Equal("one", workflow.Graph.Start);
        Assert.Equal("two", workflow.Graph.Next("one", "Done"));
        Assert.Equal("three", workflow.Graph.Next("one", "Other"));
        Assert.Null(workflow.Graph.Next("two", "Done"));
    }

    [Fact]
    public void The_order_of_activities_in_the_file_does_not_matter()
    {
        var workflow = Compile(new WorkflowJson()
            .Activity("two", "Test.A").Activity("one", "Test.A").Connect("one", "Done", "two"));

        Assert.Equal("one", workflow.Graph.Start);
    }

    [Fact]
    public void Literals_are_text_and_are_converted_to_the_type_of_the_input()
    {
        var inputs = Evaluate(("number", "Literal", "70"), ("text", "Literal", "hello"), ("flag", "Literal", "True"));

        Assert.Equal(70, inputs["Number"]);
        Assert.Equal("hello", inputs["Text"]);
        Assert.Equal(true, inputs["Flag"]);
    }

    [Fact]
    public void Inputs_that_are_not_set_have_their_defaults()
    {
        Assert.Equal(50, Evaluate()["Number"]);
    }

    [Fact]
    public void Variables_are_read_when_the_activity_runs()
    {
        var json = new WorkflowJson().Variable("v1", "Quality", "60")
            .Activity("one", "Test.A", ("number", "Variable", """{"id":"v1","name":"Quality"}"""));
        var inputs = Compile(json).Activity("one").Inputs;

        Assert.Equal(60, inputs.Evaluate(Variables("Quality", "60"))["Number"]);
        Assert.Equal(80, inputs.Evaluate(Variables("Quality", "80"))["Number"]);
        Assert.Throws<WorkflowDefinitionException>(() => inputs.Evaluate(Variables("Quality", "high")));
    }

    [Theory]
    [InlineData("101", "Number must be between 1 and 100")]
    [InlineData("fifty", "must be of type Int32")]
    public void A_literal_that_does_not_fit_is_refused(string literal, string expected)
    {
        var error = Assert.Throws<WorkflowDefinitionException>(() => Evaluate(("number", "Literal", literal)));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_definition_that_cannot_be_run_is_refused_with_the_reason()
    {
        Refused("is not an activity that is known here", new WorkflowJson().Activity("x", "Test.Unknown"));
        Refused("leads nowhere", new WorkflowJson().Activity("x", "Test.A").Connect("x", "Done", "gone"));
        Refused("has no outcome Never", new WorkflowJson().Activity("x", "Test.A").Activity("y", "Test.A").Connect("x", "Never", "y"));
        Refused("is never reached", new WorkflowJson().Activity("x", "Test.A").Activity("y", "Test.A"));
        Refused("more than one activity", new WorkflowJson().Activity("x", "Test.A").Activity("y", "Test.A").Activity("z", "Test.A")
            .Connect("x", "Done", "y").Connect("x", "Done", "z"));
        Refused("part of a loop", new WorkflowJson().Activity("x", "Test.A").Activity("y", "Test.A").Activity("z", "Test.A")
            .Connect("x", "Done", "y").Connect("y", "Done", "z").Connect("z", "Done", "y"));
        Refused("belongs in the body of a fan-out", new WorkflowJson().Activity("x", "Test.Image"));
        Refused("cannot run inside the body", new WorkflowJson().Activity("x", "Test.FanOut").WithBody("x", new WorkflowJson().Activity("y", "Test.A")));
        Refused("has no body", new WorkflowJson().Activity("x", "Test.FanOut"));
        Refused("expression in CSharp", new WorkflowJson().Activity("x", "Test.A", ("number", "CSharp", "1 + 1")));
        Refused("names a variable that does not exist", new WorkflowJson().Activity("x", "Test.A", ("number", "Variable", """{"id":"gone"}""")));
        Refused("is empty", new WorkflowJson());
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"root":{"type":"Elsa.Sequence","id":"s","activities":[]}}""")]
    [InlineData("""{"root":{"type":"Elsa.Flowchart","activities":[{"type":"Test.A"}]}}""")]
    public void An_invalid_definition_is_refused_without_a_crash(string json)
    {
        Assert.Throws<WorkflowDefinitionException>(() => CompiledWorkflow.Compile(WorkflowDocument.Parse(json), Catalog));
    }

    private static Dictionary<string, object?> Evaluate(params (string, string, System.Text.Json.Nodes.JsonNode?)[] inputs) =>
        Compile(new WorkflowJson().Activity("one", "Test.A", inputs)).Activity("one").Inputs.Evaluate(new Dictionary<string, JsonElement>());

    private static Dictionary<string, JsonElement> Variables(string name, string value) =>
        new() { [name] = JsonSerializer.SerializeToElement(value) };

    private static CompiledWorkflow Compile(WorkflowJson json) => CompiledWorkflow.Compile(WorkflowDocument.Parse(json.Build()), Catalog);

    private static void Refused(string reason, WorkflowJson json)
    {
        var error = Assert.Throws<WorkflowDefinitionException>(() => Compile(json));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }
}
