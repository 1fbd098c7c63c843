using Darkroom.Engine;
using Darkroom.Engine.Flow;

namespace Darkroom.Activities;

/// <summary>Runs one of two embedded branches, then continues with Done.</summary>
internal sealed class If : FlowActivity, IDescribedActivity
{
    private const string Then = nameof(Then);
    private const string Else = nameof(Else);

    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Elsa.If",
        Place = ActivityPlace.Anywhere,
        Category = "Branching",
        DisplayName = "If",
        Description = "Evaluates a condition, runs the branch Then or Else, and continues when that has ended. An empty branch does nothing.",
        Inputs = [FlowDecision.Condition],
        Outputs = [new OutputDescriptor("Result", typeof(bool), "The value of the condition.")],
        BranchPorts = [Then, Else],
    };

    protected override FlowStep Decide(ActivityInputs inputs)
    {
        var result = inputs.Get<bool>("Condition");
        return new FlowStep(result ? Then : Else) { Outputs = new Dictionary<string, object?> { ["Result"] = result } };
    }
}
