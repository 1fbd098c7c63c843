using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Requests;
using Darkroom.Storage;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Webhooks;

/// <summary>Inserts a finished run's deliveries in the transaction that ends it, so that no webhook is lost or sent too early.</summary>
public sealed class WebhookOutbox(ImageLinks imageLinks, IOptions<LinkOptions> links, IOptions<WebhookOptions> options)
{
    /// <summary>The NOTIFY channel that announces due deliveries.</summary>
    public const string Channel = "darkroom_webhooks";

    private const int MaxInvalidUrlLength = 500;

    /// <summary>
    /// Adds to a batch: inserts one delivery for each receiver, the request's <c>webhook_url</c> and those that its workflow registered. Reads the
    /// images that the webhooks list on the batch's connection.
    /// </summary>
    /// <param name="writes">In the transaction that ends the run.</param>
    /// <param name="ended">The request as that transaction leaves it.</param>
    /// <param name="registrations">What the workflow registered.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <remarks>
    /// An invalid URL must not keep a run from ending: it is recorded as a failed delivery that the owner can see.
    /// </remarks>
    public async Task InsertAsync(
        NpgsqlBatch writes, Request ended, IReadOnlyList<WebhookRegistration> registrations, CancellationToken cancellationToken)
    {
        if (!ended.Status.IsTerminal())
            throw new InvalidOperationException($"Request {ended.Id} is {ended.Status.ToText()}: run {ended.Run} has not ended.");
        var receivers = Receivers(ended.WebhookUrl, registrations);
        if (receivers.Count == 0)
            return;

        var images = ended.NoOfImages <= options.Value.MaxImages ? await ReadImagesAsync(writes.Connection!, ended, cancellationToken) : null;
        foreach (var (url, payload) in receivers)
            Insert(writes, ended, url, WebhookBody.Render(ended, links.Value.Base, images, payload));
        writes.Add($"notify {Channel}");
    }

    /// <summary>The same (request, run, url) always gives the same id, so that a repeated transaction cannot insert a duplicate.</summary>
    public static string MessageId(RequestId request, int run, string url) =>
        "msg_" + Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($"{request}\n{run}\n{url}")).AsSpan(0, 18));

    /// <summary>Each receiver once. If a receiver is registered several times, the first payload wins.</summary>
    private static Dictionary<string, JsonElement?> Receivers(string? requestUrl, IReadOnlyList<WebhookRegistration> registrations)
    {
        var receivers = new Dictionary<string, JsonElement?>(StringComparer.Ordinal);
        foreach (var registration in registrations.Prepend(new WebhookRegistration(requestUrl, Payload: null)))
        {
            var text = string.IsNullOrWhiteSpace(registration.Url) ? requestUrl : registration.Url;
            if (string.IsNullOrWhiteSpace(text))
                continue;
            var url = WebhookUrl.TryParse(text, out var parsed) ? parsed.AbsoluteUri : text;
            receivers[url] = receivers.GetValueOrDefault(url) ?? registration.Payload;
        }

        return receivers;
    }

    private static void Insert(NpgsqlBatch writes, Request request, string url, string body)
    {
        var valid = WebhookUrl.TryParse(url, out var parsed);
        if (!valid)
            url = Sanitize(url);
        writes.Add(
                """
                with endpoint as (
                  select case
                           when not @valid then 'failed'
                           when exists (select from webhook_disabled_endpoints where owner_id = @owner and url = @url) then 'disabled'
                           else 'pending'
                         end as state
                )
                insert into webhook_deliveries
                  (id, owner_id, request_id, run, url, receiver, body, state, next_attempt_at, finished_at, last_error, traceparent)
                select
                  @id, @owner, @request, @run, @url, @receiver, @body, state,
                  case when state = 'pending' then now() end,
                  case when state <> 'pending' then now() end,
                  case when state = 'failed' then @invalid end,
                  (select traceparent from workflow_instances where request_id = @request and run = @run)
                from endpoint
                on conflict do nothing
                """)
            .With("id", MessageId(request.Id, request.Run, url))
            .With("owner", request.OwnerId.Value)
            .With("request", request.Id.Value)
            .With("run", request.Run)
            .With("url", url)
            .With("receiver", valid ? WebhookUrl.Receiver(parsed!) : "")
            .With("body", body)
            .With("valid", valid)
            .With("invalid", WebhookErrors.InvalidUrl);
    }

    // A workflow can compute any string as a URL: shorten it for the index, and replace characters that a text column rejects.
    private static string Sanitize(string url)
    {
        var text = url.Length <= MaxInvalidUrlLength ? url : url[..MaxInvalidUrlLength];
        return string.Concat(text.EnumerateRunes().Select(rune => Rune.IsControl(rune) ? "\uFFFD" : rune.ToString()));
    }

    private async Task<List<WebhookImage>> ReadImagesAsync(NpgsqlConnection connection, Request request, CancellationToken cancellationToken)
    {
        var images = new List<WebhookImage>(request.NoOfImages);
        await using var reader = await connection.Sql(
                """
                select i.id, i.row, i.position, p.serial, p.name, i.url, i.state::text, i.output_key, i.error_code, i.error_message
                from images i
                join products p on p.request_id = i.request_id and p.row = i.row
                where i.request_id = @request
                order by i.row, i.position
                """)
            .With("request", NpgsqlDbType.Uuid, request.Id.Value)
            .ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            images.Add(new WebhookImage(
                new ImagePlace(reader.GetInt32(1), reader.GetInt32(2)),
                reader.GetString(3),
                reader.GetString(4),
                reader.GetString(5),
                reader.GetString(6),
                reader.TextOrNull(7) is { } key ? imageLinks.For(new ImageId(reader.GetInt64(0)), key) : null,
                reader.TextOrNull(8),
                reader.TextOrNull(9)));
        }

        return images;
    }
}
