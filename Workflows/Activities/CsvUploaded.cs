using Darkroom.Engine;
using Darkroom.Engine.Flow;

namespace Darkroom.Activities;

/// <summary>Where every request's workflow begins: its CSV is stored and its form was judged while it was uploaded.</summary>
internal sealed class CsvUploaded : WorkflowActivity, IDescribedActivity
{
    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Darkroom.CsvUploaded",
        Place = ActivityPlace.Workflow,
        Category = "Requests",
        DisplayName = "CSV uploaded",
        Description = "Starts when a CSV has been uploaded and its form was found good.",
        IsTrigger = true,
    };

    public override Task<ActivityResult> ExecuteAsync(WorkflowActivityContext context, CancellationToken cancellationToken) =>
        Task.FromResult<ActivityResult>(new ActivityResult.Completed());
}
