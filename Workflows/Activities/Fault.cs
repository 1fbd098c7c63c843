using Darkroom.Engine;
using Darkroom.Engine.Flow;
using Darkroom.Images;

namespace Darkroom.Activities;

/// <summary>Ends the workflow as faulted; in the body of a fan-out, the image as failed.</summary>
internal sealed class Fault : FlowActivity, IDescribedActivity
{
    private const string Code = nameof(Code);
    private const string Message = nameof(Message);

    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Elsa.Fault",
        Place = ActivityPlace.Anywhere,
        Category = "Primitives",
        DisplayName = "Fault",
        Description = "Ends the workflow as faulted, and its request as failed. In the body of a fan-out it fails the image, and the others go on.",
        Inputs =
        [
            new InputDescriptor(Code, typeof(string), "fault", "A short code for scripts: letters, digits and underscores.")
            {
                Check = value => value is string text && (text.Length > 64 || text.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-')))
                    ? "Code may have 64 letters, digits and underscores."
                    : null,
            },
            new InputDescriptor("Category", typeof(string), null, "Kept in the journal.") { Category = "Advanced" },
            new InputDescriptor("FaultType", typeof(string), null, "Kept in the journal.") { Category = "Advanced" },
            new InputDescriptor(Message, typeof(string), "The workflow ended with a fault.", "The reason, as the request's owner reads it."),
        ],
        Outcomes = [],
    };

    protected override FlowStep Decide(ActivityInputs inputs) =>
        new(Outcome.Done) { Failure = new ImageFailure(inputs.Text(Code) ?? "fault", inputs.Text(Message) ?? "The workflow ended with a fault.") };
}
