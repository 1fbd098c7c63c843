using System.Text.Json;
using Darkroom.Engine;
using Darkroom.Engine.Flow;
using Darkroom.Webhooks;

namespace Darkroom.Activities;

/// <summary>
/// Registers a webhook for the end of the run. Sends nothing itself: the transaction that sets the final status inserts the
/// delivery, so a receiver never learns of a result that may still change.
/// </summary>
internal sealed class NotifyWebhook : WorkflowActivity, IDescribedActivity
{
    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Darkroom.NotifyWebhook",
        Place = ActivityPlace.Workflow,
        Category = "Requests",
        DisplayName = "Notify webhook",
        Description = "Notifies a webhook when the request has ended, and how. The URL given at upload is notified in any case.",
        Inputs =
        [
            new InputDescriptor("Url", typeof(string), null, "The webhook URL; empty for the one given at upload. The journal shows only its host.")
            {
                Check = value => value is string { Length: > 0 } text && !WebhookUrl.TryParse(text, out _) ? "Url must be an http or https URL." : null,
                Redact = value => value is "" ? value : InputDescriptor.RedactUrl(value),
            },
            new InputDescriptor("Payload", typeof(string), null, "Text to include in the delivery, such as your own reference."),
        ],
    };

    public override bool CommitsWithNext => true;

    public override Task<ActivityResult> ExecuteAsync(WorkflowActivityContext context, CancellationToken cancellationToken) =>
        Task.FromResult<ActivityResult>(new ActivityResult.Completed
        {
            Webhook = new WebhookRegistration(
                context.Inputs.Text("Url"),
                context.Inputs.Text("Payload") is { } payload ? JsonSerializer.SerializeToElement(payload) : null),
        });
}
