using System.Security.Claims;
using Darkroom.Access;
using Darkroom.Api.Access;
using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Webhooks;

namespace Darkroom.Api.Webhooks;

/// <summary>The webhook API: deliveries and their attempts, replays, disabled endpoints and signing secrets.</summary>
public static class WebhooksEndpoints
{
    public static IServiceCollection AddWebhooks(this IServiceCollection services) => services.AddWebhookLog();

    public static IEndpointRouteBuilder MapWebhooks(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/v1").RequireAuthorization(Scopes.Requests).WithTags("Webhooks");
        api.ProducesProblem(StatusCodes.Status401Unauthorized);

        api.MapGet("/requests/{id}/webhooks", ListAsync)
            .WithName("ListWebhooks")
            .WithSummary("List a request's webhooks")
            .WithDescription("Each with its attempts: when it was sent, how long it took and what the receiver returned.")
            .Produces<WebhookDeliveriesView>()
            .ProducesProblem(StatusCodes.Status404NotFound);

        api.MapPost("/webhooks/{id}/replay", ReplayAsync)
            .WithName("ReplayWebhook")
            .WithSummary("Send a webhook again")
            .WithDescription("Sent immediately, with the same webhook-id and body and a new timestamp. If it fails, the retry schedule starts over.")
            .Produces<WebhookDeliveryView>(StatusCodes.Status202Accepted)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);

        api.MapPost("/webhooks/endpoints/enable", EnableAsync)
            .WithName("EnableWebhookEndpoint")
            .WithSummary("Enable an endpoint that returned 410")
            .WithDescription("New webhooks are sent there again. Those that were held back can be replayed.")
            .Produces<EnabledEndpointView>()
            .ProducesProblem(StatusCodes.Status404NotFound);

        api.MapPost("/webhooks/secret/rotate", RotateAsync)
            .WithName("RotateWebhookSecret")
            .WithSummary("Rotate the signing secret")
            .WithDescription("The new secret is shown only once. Until the previous one expires, webhooks carry a signature of each.")
            .Produces<RotatedSecretView>();
        return routes;
    }

    private static async Task<IResult> ListAsync(
        string id, ClaimsPrincipal user, RequestStore requests, WebhookLog webhooks, CancellationToken cancellationToken)
    {
        var owner = user.OwnerId();
        if (!Guid.TryParseExact(id, "D", out var guid))
            return WebhookProblems.RequestNotFound;
        var request = new RequestId(guid);
        if (await requests.FindAsync(owner, request, cancellationToken) is null)
            return WebhookProblems.RequestNotFound;
        var deliveries = await webhooks.ListAsync(owner, request, cancellationToken);
        return Results.Json(new WebhookDeliveriesView([.. deliveries.Select(WebhookDeliveryView.From)]), WebhookJson.Options);
    }

    private static async Task<IResult> ReplayAsync(string id, ClaimsPrincipal user, WebhookLog webhooks, CancellationToken cancellationToken)
    {
        var owner = user.OwnerId();
        if (!IsMessageId(id))
            return WebhookProblems.DeliveryNotFound;
        switch (await webhooks.ReplayAsync(owner, id, cancellationToken))
        {
            case WebhookReplay.EndpointDisabled:
                return WebhookProblems.EndpointDisabled;
            case WebhookReplay.InvalidUrl:
                return WebhookProblems.InvalidUrl;
            case WebhookReplay.Accepted when await webhooks.FindAsync(owner, id, cancellationToken) is { } delivery:
                return Results.Json(WebhookDeliveryView.From(delivery), WebhookJson.Options, statusCode: StatusCodes.Status202Accepted);
            default:
                return WebhookProblems.DeliveryNotFound;
        }
    }

    private static async Task<IResult> EnableAsync(
        EndpointToEnable endpoint, ClaimsPrincipal user, WebhookLog webhooks, CancellationToken cancellationToken)
    {
        if (!WebhookUrl.TryParse(endpoint.Url, out var url))
            return WebhookProblems.EndpointNotDisabled;
        return await webhooks.EnableAsync(user.OwnerId(), url.AbsoluteUri, cancellationToken) is { } heldBack
            ? Results.Json(new EnabledEndpointView(url.AbsoluteUri, heldBack), WebhookJson.Options)
            : WebhookProblems.EndpointNotDisabled;
    }

    private static async Task<IResult> RotateAsync(
        HttpContext context, ClaimsPrincipal user, WebhookSecrets secrets, CancellationToken cancellationToken)
    {
        var rotated = await secrets.RotateAsync(user.OwnerId(), cancellationToken);
        context.Response.Headers.CacheControl = "no-store";
        return Results.Json(new RotatedSecretView(rotated.Secret, rotated.PreviousExpiresAt), WebhookJson.Options);
    }

    // Anything else cannot be one of our ids; skip the query.
    private static bool IsMessageId(string id) => id.Length <= 64 && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');
}
