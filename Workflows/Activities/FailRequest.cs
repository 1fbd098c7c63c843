using Darkroom.Engine;
using Darkroom.Engine.Flow;
using Darkroom.Requests;

namespace Darkroom.Activities;

/// <summary>Records the reason why a request fails. The request fails because its workflow ends here without an output CSV.</summary>
internal sealed class FailRequest : WorkflowActivity, IDescribedActivity
{
    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Darkroom.FailRequest",
        Place = ActivityPlace.Workflow,
        Category = "Requests",
        DisplayName = "Fail request",
        Description = "Fails the request, with a reason. An error recorded by an earlier activity takes precedence.",
        Inputs = [new InputDescriptor("Message", typeof(string), "The workflow refused this request.", "The reason, as shown to the owner of the request.")],
        Outcomes = [],
    };

    public override Task<ActivityResult> ExecuteAsync(WorkflowActivityContext context, CancellationToken cancellationToken) =>
        Task.FromResult<ActivityResult>(new ActivityResult.Completed
        {
            Effect = (connection, token) =>
                RequestUpdates.RefuseByWorkflowAsync(connection, context.RequestId, context.Inputs.Get<string>("Message"), token),
        });
}
