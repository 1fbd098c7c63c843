using System.Globalization;
using System.Text.Json;
using Darkroom.Engine;
using Darkroom.Engine.Flow;

namespace Darkroom.Activities;

/// <summary>Waits. The workflow is suspended meanwhile and resumed by the database's clock, so the delay survives restarts.</summary>
internal sealed class Delay : WorkflowActivity, IDescribedActivity
{
    private const string Span = "TimeSpan";
    private static readonly TimeSpan Max = TimeSpan.FromDays(366);

    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Elsa.Delay",
        Place = ActivityPlace.Workflow,
        Category = "Scheduling",
        DisplayName = "Delay",
        Description = "Waits before the workflow continues. Survives restarts.",
        Inputs =
        [
            new InputDescriptor(Span, typeof(TimeSpan), null, "How long, as days.hours:minutes:seconds: 00:05:00 is five minutes. At most 366 days.")
            {
                DisplayName = "Time span",
                UiHint = "singleline",
                IsRequired = true,
                Check = value => value is TimeSpan span && (span < TimeSpan.Zero || span > Max) ? "TimeSpan must be between 0 and 366 days." : null,
            },
        ],
        CreatesBookmark = true,
    };

    public override bool CommitsWithNext => true;

    public override Task<ActivityResult> ExecuteAsync(WorkflowActivityContext context, CancellationToken cancellationToken)
    {
        var span = context.Inputs.Get<TimeSpan>(Span);
        var payload = JsonSerializer.Serialize(new Dictionary<string, string> { ["timeSpan"] = span.ToString("c", CultureInfo.InvariantCulture) });
        return Task.FromResult<ActivityResult>(new ActivityResult.Suspended(payload) { ResumeAfter = span });
    }
}
