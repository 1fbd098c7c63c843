using Darkroom.Engine;
using Darkroom.Engine.Flow;
using Darkroom.Images;

namespace Darkroom.Activities;

/// <summary>Faults the workflow; in the body of a fan-out, fails the image.</summary>
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
        Description = "Faults the workflow and fails its request. In the body of a fan-out it fails only the image, and the others continue.",
        Inputs =
        [
            new InputDescriptor(Code, typeof(string), "fault", "A short code for scripts: letters, digits, hyphens and underscores.")
            {
                Check = value => value is string text && (text.Length > 64 || text.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-')))
                    ? "Code may have up to 64 letters, digits, hyphens and underscores."
                    : null,
            },
            new InputDescriptor("Category", typeof(string), null, "Kept in the journal.") { Category = "Advanced" },
            new InputDescriptor("FaultType", typeof(string), null, "Kept in the journal.") { Category = "Advanced" },
            new InputDescriptor(Message, typeof(string), "The workflow ended with a fault.", "The reason, as shown to the owner of the request."),
        ],
        Outcomes = [],
    };

    protected override FlowStep Decide(ActivityInputs inputs) =>
        new(Outcome.Done) { Failure = new ImageFailure(inputs.Text(Code) ?? "fault", inputs.Text(Message) ?? "The workflow ended with a fault.") };
}
