using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Darkroom.Egress;
using Microsoft.Extensions.Options;

namespace Darkroom.Webhooks;

/// <summary>
/// Makes one delivery attempt. Receiver URLs are untrusted, so every connection goes through the egress guard, redirects are not
/// followed, and only the start of the response is read.
/// </summary>
public sealed class WebhookSender : IDisposable
{
    /// <summary>Maximum number of response bytes read.</summary>
    public const int MaxRead = 16 * 1024;

    /// <summary>Maximum number of response bytes kept.</summary>
    public const int MaxKept = 1024;

    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly EgressGuard _guard;
    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly WebhookOptions _options;

    public WebhookSender(EgressGuard guard, TimeProvider time, IOptions<WebhookOptions> options)
    {
        _guard = guard;
        _time = time;
        _options = options.Value;
        var handler = guard.CreateHandler();
        handler.ConnectTimeout = _options.ConnectTimeout;
        // The dispatcher already limits attempts per receiver; waiting here would count against the attempt's timeout.
        handler.MaxConnectionsPerServer = int.MaxValue;
        _http = new HttpClient(handler) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("Darkroom-Webhooks/1.0");
    }

    /// <param name="secrets">The owner's active secrets; the request is signed with each of them.</param>
    public async Task<WebhookOutcome> SendAsync(ClaimedDelivery delivery, IReadOnlyList<string> secrets, CancellationToken cancellationToken)
    {
        // Receivers reject a timestamp that is minutes off, so it must not depend on this machine's clock.
        var startedAt = delivery.ClaimedAt + _time.GetElapsedTime(delivery.ClaimedTimestamp);
        var began = _time.GetTimestamp();
        if (_guard.CheckUrl(delivery.Url, out var url) is { } refusal)
            return new WebhookOutcome(startedAt, _time.GetElapsedTime(began), Status: null, refusal.Code);

        using var timeout = new CancellationTokenSource(_options.Timeout, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            using var request = Compose(delivery, url!, secrets, startedAt);
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, linked.Token);
            var status = (int)response.StatusCode;
            var text = await ReadStartAsync(response, cancellationToken, linked.Token);
            return new WebhookOutcome(startedAt, _time.GetElapsedTime(began), status, ErrorFor(status), text, RetryAfter(response, startedAt));
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && Explain(e) is { } error)
        {
            return new WebhookOutcome(startedAt, _time.GetElapsedTime(began), Status: null, error);
        }
    }

    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage Compose(ClaimedDelivery delivery, Uri url, IReadOnlyList<string> secrets, DateTimeOffset now)
    {
        var body = Encoding.UTF8.GetBytes(delivery.Body);
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = Json;
        var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = content };
        request.Headers.Add(WebhookSignature.IdHeader, delivery.Id);
        request.Headers.Add(WebhookSignature.TimestampHeader, WebhookSignature.Seconds(now));
        request.Headers.Add(WebhookSignature.SignatureHeader, WebhookSignature.Sign(secrets, delivery.Id, now, body));
        return request;
    }

    private static string? ErrorFor(int status) => status switch
    {
        >= 200 and < 300 => null,
        >= 300 and < 400 => WebhookErrors.Redirected,
        _ => WebhookErrors.Http(status),
    };

    // The status decides the outcome. A body that stalls or breaks off does not change it.
    private static async Task<string?> ReadStartAsync(HttpResponseMessage response, CancellationToken stopping, CancellationToken cancellationToken)
    {
        var kept = new byte[MaxKept];
        var keptLength = 0;
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            var buffer = new byte[4096];
            for (var total = 0; total < MaxRead;)
            {
                var read = await body.ReadAsync(buffer.AsMemory(0, Math.Min(buffer.Length, MaxRead - total)), cancellationToken);
                if (read == 0)
                    break;
                var keep = Math.Min(read, kept.Length - keptLength);
                buffer.AsSpan(0, keep).CopyTo(kept.AsSpan(keptLength));
                keptLength += keep;
                total += read;
            }
        }
        catch (Exception e) when (!stopping.IsCancellationRequested && e is HttpRequestException or IOException or OperationCanceledException)
        {
        }

        return keptLength == 0 ? null : Printable(Encoding.UTF8.GetString(kept, 0, keptLength));
    }

    // Postgres rejects U+0000, and control characters must not reach a terminal.
    private static string Printable(string text) =>
        string.Create(text.Length, text, (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = char.IsControl(source[i]) && source[i] is not ('\n' or '\t') ? ' ' : source[i];
        });

    private static TimeSpan? RetryAfter(HttpResponseMessage response, DateTimeOffset now)
    {
        if (response.StatusCode is not (HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable))
            return null;
        var wait = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - now,
            _ => TimeSpan.Zero,
        };
        return wait > TimeSpan.Zero ? wait : null;
    }

    /// <summary>Null if it is not a network error: then the bug is ours and must not be blamed on the receiver.</summary>
    private static string? Explain(Exception exception) => exception switch
    {
        _ when EgressRefusedException.Find(exception) is { } refusal => refusal.Code,
        OperationCanceledException or TimeoutException => WebhookErrors.Timeout,
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => WebhookErrors.NameNotResolved,
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => WebhookErrors.TlsFailed,
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => WebhookErrors.ConnectFailed,
        HttpRequestException { InnerException: SocketException { SocketErrorCode: SocketError.HostNotFound } } => WebhookErrors.NameNotResolved,
        HttpRequestException { InnerException: SocketException } => WebhookErrors.ConnectFailed,
        HttpRequestException or IOException => WebhookErrors.BadResponse,
        _ => null,
    };
}

/// <summary>The outcome of one attempt.</summary>
/// <param name="StartedAt">When it began.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="Status">The HTTP status, if there was a response.</param>
/// <param name="Error">One of <see cref="WebhookErrors"/>, or null if it was delivered.</param>
/// <param name="Response">The start of the receiver's response, shown to the owner.</param>
/// <param name="RetryAfter">The receiver's <c>Retry-After</c>, if any.</param>
public sealed record WebhookOutcome(
    DateTimeOffset StartedAt, TimeSpan Duration, int? Status, string? Error, string? Response = null, TimeSpan? RetryAfter = null)
{
    /// <summary>The receiver no longer wants any webhooks.</summary>
    public bool Gone => Status == 410;
}
