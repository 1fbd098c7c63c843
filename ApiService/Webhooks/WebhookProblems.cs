using Darkroom.Api.Problems;

namespace Darkroom.Api.Webhooks;

/// <summary>Problems of the webhook endpoints.</summary>
internal static class WebhookProblems
{
    /// <summary>One answer for an id that is unknown or another owner's: nobody learns which.</summary>
    public static ApiProblem RequestNotFound { get; } =
        new(StatusCodes.Status404NotFound, "request_not_found", "There is no such request.");

    public static ApiProblem DeliveryNotFound { get; } =
        new(StatusCodes.Status404NotFound, "webhook_not_found", "There is no such webhook.");

    public static ApiProblem EndpointNotDisabled { get; } =
        new(StatusCodes.Status404NotFound, "endpoint_not_disabled", "No endpoint with this address is disabled.")
        {
            Detail = "Send the url exactly as the webhook's list shows it.",
        };

    public static ApiProblem EndpointDisabled { get; } =
        new(StatusCodes.Status409Conflict, "endpoint_disabled", "The webhook's endpoint is disabled.")
        {
            Detail = "Its receiver answered 410. Enable it first: POST /v1/webhooks/endpoints/enable.",
        };

    public static ApiProblem InvalidUrl { get; } =
        new(StatusCodes.Status409Conflict, "invalid_webhook_url", "The webhook's address is none that can be sent to.");
}
