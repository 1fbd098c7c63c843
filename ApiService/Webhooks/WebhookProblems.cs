using Darkroom.Api.Problems;

namespace Darkroom.Api.Webhooks;

/// <summary>Problems of the webhook endpoints.</summary>
internal static class WebhookProblems
{
    /// <summary>Deliberately the same for an unknown id and for another owner's.</summary>
    public static ApiProblem RequestNotFound { get; } =
        new(StatusCodes.Status404NotFound, "request_not_found", "There is no such request.");

    public static ApiProblem DeliveryNotFound { get; } =
        new(StatusCodes.Status404NotFound, "webhook_not_found", "There is no such webhook.");

    public static ApiProblem EndpointNotDisabled { get; } =
        new(StatusCodes.Status404NotFound, "endpoint_not_disabled", "No disabled endpoint has this URL.")
        {
            Detail = "Send the url exactly as the list of webhooks shows it.",
        };

    public static ApiProblem EndpointDisabled { get; } =
        new(StatusCodes.Status409Conflict, "endpoint_disabled", "The webhook's endpoint is disabled.")
        {
            Detail = "The receiver returned 410. Enable it first: POST /v1/webhooks/endpoints/enable.",
        };

    public static ApiProblem InvalidUrl { get; } =
        new(StatusCodes.Status409Conflict, "invalid_webhook_url", "Webhooks cannot be sent to this URL.");
}
