using System.Text.Json;
using Darkroom.Engine;
using Darkroom.Engine.Flow;
using Darkroom.Webhooks;

namespace Darkroom.Activities;

/// <summary>
/// Registers a webhook for the end of the run. Nothing is sent from here: the delivery is inserted by the transaction that sets
/// the terminal state, so no receiver hears of a result that may still change.
/// </summary>
internal sealed class NotifyWebhook : WorkflowActivity, IDescribedActivity
{
    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Darkroom.NotifyWebhook",
        Place = ActivityPlace.Workflow,
        Category = "Requests",
        DisplayName = "Notify webhook",
        Description = "Tells a webhook how the request ended, as soon as it has. The URL given at upload is told in any case.",
        Inputs =
        [
            new InputDescriptor("Url", typeof(string), null, "Where to; empty for the URL that was given at upload. Journals show its host alone.")
            {
                Check = value => value is string { Length: > 0 } text && !WebhookUrl.TryParse(text, out _) ? "Url must be an http or https URL." : null,
                Redact = value => value is "" ? value : InputDescriptor.RedactUrl(value),
            },
            new InputDescriptor("Payload", typeof(string), null, "Text that is carried along in the delivery, such as a reference of yours."),
        ],
    };

    public override Task<ActivityResult> ExecuteAsync(WorkflowActivityContext context, CancellationToken cancellationToken) =>
        Task.FromResult<ActivityResult>(new ActivityResult.Completed
        {
            Webhook = new WebhookRegistration(
                context.Inputs.Text("Url"),
                context.Inputs.Text("Payload") is { } payload ? JsonSerializer.SerializeToElement(payload) : null),
        });
}
