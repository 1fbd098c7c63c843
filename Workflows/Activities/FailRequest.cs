using Darkroom.Engine;
using Darkroom.Engine.Flow;
using Darkroom.Requests;

namespace Darkroom.Activities;

/// <summary>Gives the reason why a request ends as failed. It fails because it then ends without an output CSV, not by this alone.</summary>
internal sealed class FailRequest : WorkflowActivity, IDescribedActivity
{
    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Darkroom.FailRequest",
        Place = ActivityPlace.Workflow,
        Category = "Requests",
        DisplayName = "Fail request",
        Description = "Ends the request as failed, with a reason. What an earlier activity found wrong takes precedence.",
        Inputs = [new InputDescriptor("Message", typeof(string), "The workflow refused this request.", "The reason, as the request's owner reads it.")],
        Outcomes = [],
    };

    public override Task<ActivityResult> ExecuteAsync(WorkflowActivityContext context, CancellationToken cancellationToken) =>
        Task.FromResult<ActivityResult>(new ActivityResult.Completed
        {
            Effect = (connection, token) =>
                RequestUpdates.RefuseByWorkflowAsync(connection, context.RequestId, context.Inputs.Get<string>("Message"), token),
        });
}
