using Darkroom.Engine;
using Darkroom.Engine.Flow;

namespace Darkroom.Activities;

/// <summary>
/// The start of every request's workflow. The CSV has already been stored, and its format was validated during the upload.
/// </summary>
internal sealed class CsvUploaded : WorkflowActivity, IDescribedActivity
{
    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Darkroom.CsvUploaded",
        Place = ActivityPlace.Workflow,
        Category = "Requests",
        DisplayName = "CSV uploaded",
        Description = "Starts the workflow when a valid CSV has been uploaded.",
        IsTrigger = true,
    };

    public override bool CommitsWithNext => true;

    public override Task<ActivityResult> ExecuteAsync(WorkflowActivityContext context, CancellationToken cancellationToken) =>
        Task.FromResult<ActivityResult>(new ActivityResult.Completed());
}
