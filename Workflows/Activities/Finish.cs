using Darkroom.Engine;
using Darkroom.Engine.Flow;

namespace Darkroom.Activities;

/// <summary>Ends the workflow here; in the body of a fan-out, the image.</summary>
internal sealed class Finish : FlowActivity, IDescribedActivity
{
    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Elsa.Finish",
        Place = ActivityPlace.Anywhere,
        Category = "Primitives",
        DisplayName = "Finish",
        Description = "Ends the workflow, also from within a branch. In the body of a fan-out it ends the image, which has succeeded if a result is stored.",
        Outcomes = [],
    };

    protected override FlowStep Decide(ActivityInputs inputs) => new(Outcome.Done);
}

/// <summary>Ends the flowchart that it stands in: the workflow, a body, or a branch, behind which the flow goes on.</summary>
internal sealed class Complete : FlowActivity, IDescribedActivity
{
    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Elsa.Complete",
        Place = ActivityPlace.Anywhere,
        Category = "Primitives",
        DisplayName = "Complete",
        Description = "Completes the flowchart that it stands in. In a branch the flow goes on behind the activity that holds the branch.",
        Outcomes = [],
        CompletesFlowchart = true,
    };

    protected override FlowStep Decide(ActivityInputs inputs) => new(BranchFlattener.Exit);
}
