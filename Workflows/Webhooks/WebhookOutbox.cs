using Darkroom.Requests;
using Npgsql;

namespace Darkroom.Webhooks;

/// <summary>Writes the deliveries of a run's end, in the transaction that ends it: so a webhook is neither lost nor ahead of the truth.</summary>
public sealed class WebhookOutbox
{
    /// <summary>The NOTIFY channel on which new deliveries are announced.</summary>
    public const string Channel = "darkroom_webhooks";

    /// <summary>
    /// Inserts one delivery for each receiver: the request's own <c>webhook_url</c>, and those that its workflow wished for. Call it after
    /// the terminal state is written, on the same connection. Returns the number of deliveries inserted.
    /// </summary>
    public Task<int> InsertAsync(
        NpgsqlConnection connection, RequestId request, int run, IReadOnlyList<WebhookWish> wishes, CancellationToken cancellation) =>
        Task.FromResult(0);
}
