using Darkroom.Engine;
using Darkroom.Engine.Flow;

namespace Darkroom.Activities;

/// <summary>Ends the workflow; in the body of a fan-out, ends the processing of the image.</summary>
internal sealed class Finish : FlowActivity, IDescribedActivity
{
    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Elsa.Finish",
        Place = ActivityPlace.Anywhere,
        Category = "Primitives",
        DisplayName = "Finish",
        Description = "Ends the workflow, even from within a branch. In the body of a fan-out it ends only the image, which succeeds if a result has been stored.",
        Outcomes = [],
    };

    protected override FlowStep Decide(ActivityInputs inputs) => new(Outcome.Done);
}

/// <summary>Completes the flowchart that contains it: the workflow, a body, or a branch, after which the flow continues.</summary>
internal sealed class Complete : FlowActivity, IDescribedActivity
{
    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Elsa.Complete",
        Place = ActivityPlace.Anywhere,
        Category = "Primitives",
        DisplayName = "Complete",
        Description = "Completes the flowchart that contains it. In a branch, the flow continues after the activity that owns the branch.",
        Outcomes = [],
        CompletesFlowchart = true,
    };

    protected override FlowStep Decide(ActivityInputs inputs) => new(BranchFlattener.Exit);
}
