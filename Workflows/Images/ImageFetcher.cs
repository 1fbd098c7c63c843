using System.Net;
using System.Security.Cryptography;
using Darkroom.Data;
using Darkroom.Egress;
using Microsoft.Extensions.Options;

namespace Darkroom.Images;

/// <summary>
/// Downloads images through the egress guard, with limits on size, time and rate, and detects their format from their bytes.
/// </summary>
public sealed class ImageFetcher : IDisposable
{
    private readonly EgressGuard _guard;
    private readonly DownloadSlots _slots;
    private readonly EgressOptions _options;
    private readonly int _maxPreemptions;
    private readonly TimeProvider _time;
    private readonly HttpMessageInvoker _http;
    private readonly PerHostLimiter _hosts;

    public ImageFetcher(
        EgressGuard guard, DownloadSlots slots, IOptions<EgressOptions> options, IOptions<ImageWorkOptions> work, TimeProvider time)
    {
        _guard = guard;
        _slots = slots;
        _options = options.Value;
        _maxPreemptions = work.Value.MaxPreemptions;
        _time = time;
        // An invoker rather than an HttpClient: we handle timeouts, and no defaults add headers or buffering.
        _http = new HttpMessageInvoker(guard.CreateHandler());
        _hosts = new PerHostLimiter(_options.ConnectionsPerHost, _options.RequestsPerSecondPerHost, time);
    }

    /// <summary>
    /// Downloads the image at a URL. Every failure is an <see cref="ImageFailedException"/>. The caller disposes the image.
    /// </summary>
    /// <param name="uri">Where it is.</param>
    /// <param name="owner">For whom.</param>
    /// <param name="preemptions">How often its download was cancelled in favour of others.</param>
    /// <param name="cancellationToken">Ends the download.</param>
    public async Task<FetchedImage> FetchAsync(Uri uri, OwnerId owner, int preemptions, CancellationToken cancellationToken)
    {
        var budget = _options.Total;
        using var download = _slots.Begin(owner, inSlowLane: preemptions >= _maxPreemptions);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(download.Preempted, cancellationToken);
        for (var redirects = 0; ; redirects++)
        {
            if (_guard.CheckUri(uri) is { } refusal)
                throw Failed(new(refusal.Code, refusal.Message));
            // Wait for the host first, and release both before following a redirect: a download that holds a slot never waits for a host,
            // so a busy host does not block images from others.
            using var place = await WaitAsync(_hosts.EnterAsync(uri.IdnHost, owner, IsPaced(uri), _options.HostWait, either.Token), cancellationToken);
            using var slot = await WaitAsync(download.EnterAsync(_options.HostWait, either.Token), cancellationToken);

            var started = _time.GetTimestamp();
            using var deadline = new CancellationTokenSource(budget, _time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, either.Token);
            try
            {
                using var response = await SendAsync(uri, both.Token);
                if (RedirectTarget(uri, response) is not { } target)
                {
                    CheckResponse(response);
                    return await ReadAsync(uri, response.Content, download, both.Token);
                }

                if (redirects == _options.MaxRedirects)
                    throw Failed(new(ImageFailureCodes.TooManyRedirects, $"More than {_options.MaxRedirects} redirects."));
                uri = target;
            }
            catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
            {
                throw Failed(download.Preempted.IsCancellationRequested ? GaveWay : TimedOut, e);
            }

            budget -= _time.GetElapsedTime(started);
            if (budget <= TimeSpan.Zero)
                throw Failed(TimedOut);
        }
    }

    /// <summary>A source on this machine is nobody else's.</summary>
    private bool IsPaced(Uri uri) => !(_options.AllowLoopback && uri.IsLoopback);

    /// <summary>Waits for a place or a slot, unless it takes too long or others need the room meanwhile.</summary>
    private static async Task<IDisposable> WaitAsync(Task<IDisposable?> waiting, CancellationToken cancellationToken)
    {
        try
        {
            return await waiting ?? throw Failed(Busy);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed(Busy, e);
        }
    }

    /// <summary>Sends one request and reads the response headers, within the header timeout.</summary>
    private async Task<HttpResponseMessage> SendAsync(Uri uri, CancellationToken cancellationToken)
    {
        using var headers = new CancellationTokenSource(_options.Headers, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(headers.Token, cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Get, uri)
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TryAddWithoutValidation("User-Agent", _options.UserAgent);
        request.Headers.TryAddWithoutValidation("Accept", "image/*");
        request.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
        try
        {
            return await _http.SendAsync(request, both.Token);
        }
        catch (HttpRequestException e)
        {
            throw Failed(HttpFailures.FromException(e), e);
        }
    }

    /// <summary>The target of a redirect, or null if the response is not one. Nothing else is carried over to the next request.</summary>
    private static Uri? RedirectTarget(Uri from, HttpResponseMessage response)
    {
        if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308))
            return null;
        if (!response.Headers.NonValidated.TryGetValues("Location", out var values) || values.Count != 1 ||
            !Uri.TryCreate(from, values.ToString(), out var target))
            throw Failed(new(ImageFailureCodes.BadRedirect, "The server sent a redirect without a valid target."));
        return target;
    }

    private void CheckResponse(HttpResponseMessage response)
    {
        var retryAfter = response.Headers.RetryAfter;
        if (HttpFailures.FromStatus(response.StatusCode, retryAfter, _time.GetUtcNow(), _options.MaxRetryAfter) is { } failure)
            throw Failed(failure);
        if (response.Content.Headers.NonValidated.TryGetValues("Content-Encoding", out var encodings) &&
            encodings.Any(encoding => !encoding.Trim().Equals("identity", StringComparison.OrdinalIgnoreCase)))
            throw Failed(new(ImageFailureCodes.ContentEncoding, "The server compressed the response although it was asked not to."));
        if (response.Content.Headers.ContentLength > _options.MaxBytes)
            throw Failed(TooLarge);
    }

    private async Task<FetchedImage> ReadAsync(Uri uri, HttpContent content, Download download, CancellationToken cancellationToken)
    {
        var expected = content.Headers.ContentLength ?? 256 * 1024;
        var buffer = new PooledBuffer((int)Math.Min(expected, _options.MaxBytes) + 1);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await ReadBodyAsync(content, buffer, hash, download, cancellationToken);
            if (buffer.Length == 0)
                throw Failed(new(ImageFailureCodes.EmptyBody, "The server answered with an empty body."));
            return new FetchedImage(buffer, FormatSniffer.Recognise(buffer.Span), hash.GetHashAndReset(), uri);
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    private async Task ReadBodyAsync(
        HttpContent content, PooledBuffer buffer, IncrementalHash hash, Download download, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        using var rate = new MinDataRate(_options, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(rate.TooSlow, cancellationToken);
        try
        {
            await using var body = await content.ReadAsStreamAsync(either.Token);
            while (true)
            {
                // Read at most one byte beyond the limit: an oversized body is refused, not drained.
                var room = (int)Math.Min(_options.MaxBytes + 1 - buffer.Length, int.MaxValue);
                var memory = buffer.GetMemory(1);
                var count = await body.ReadAsync(memory[..Math.Min(memory.Length, room)], either.Token);
                if (count == 0)
                    return;
                hash.AppendData(memory.Span[..count]);
                buffer.Advance(count);
                if (buffer.Length > _options.MaxBytes)
                    throw Failed(TooLarge);
                download.Received(buffer.Length);
                rate.Received(buffer.Length, _time.GetElapsedTime(started));
            }
        }
        catch (OperationCanceledException e) when (rate.TooSlow.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Failed(new(ImageFailureCodes.TooSlow, "The image arrived too slowly.", IsTransient: true), e);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw Failed(HttpFailures.FromBody(e), e);
        }
    }

    private static ImageFailure TimedOut { get; } = new(ImageFailureCodes.Timeout, "The server took too long.", IsTransient: true);

    private static ImageFailure Busy { get; } =
        new(ImageFailureCodes.HostBusy, "Too many other images are waiting for this host.", IsTransient: true) { UsesAttempt = false };

    private static ImageFailure GaveWay { get; } =
        new(ImageFailureCodes.Preempted, "The download was slow and gave way to others.", IsTransient: true) { UsesAttempt = false };

    private ImageFailure TooLarge => new(ImageFailureCodes.TooLarge, $"The file is larger than {_options.MaxBytes:N0} bytes.");

    private static ImageFailedException Failed(ImageFailure failure, Exception? inner = null) => new(failure, inner);

    public void Dispose() => _http.Dispose();
}

/// <summary>A downloaded file whose first bytes identify it as an image. Owns its memory.</summary>
public sealed class FetchedImage(PooledBuffer buffer, ImageFormat format, byte[] sha256, Uri finalUri) : IDisposable
{
    public ImageFormat Format { get; } = format;

    public byte[] Sha256 { get; } = sha256;

    /// <summary>The URL after all redirects.</summary>
    public Uri FinalUri { get; } = finalUri;

    public int Length => buffer.Length;

    public ReadOnlyMemory<byte> Memory => buffer.Memory;

    public void Dispose() => buffer.Dispose();
}
