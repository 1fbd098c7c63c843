using System.Net;
using System.Security.Cryptography;
using Darkroom.Egress;
using Microsoft.Extensions.Options;

namespace Darkroom.Images;

/// <summary>Fetches one image: guarded, bounded in size, time and rate, recognised by its bytes.</summary>
public sealed class ImageFetcher : IDisposable
{
    private readonly EgressGuard _guard;
    private readonly ImageSlots _slots;
    private readonly EgressOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpMessageInvoker _http;
    private readonly PerHostLimiter _hosts;

    public ImageFetcher(EgressGuard guard, ImageSlots slots, IOptions<EgressOptions> options, TimeProvider time)
    {
        _guard = guard;
        _slots = slots;
        _options = options.Value;
        _time = time;
        // An invoker, not a client: timeouts are ours, and no default adds a header or a buffer.
        _http = new HttpMessageInvoker(guard.CreateHandler());
        _hosts = new PerHostLimiter(_options.ConnectionsPerHost);
    }

    /// <summary>The image behind a URL. Every failure is an <see cref="ImageFailedException"/>; the caller disposes the image.</summary>
    public async Task<FetchedImage> FetchAsync(Uri uri, CancellationToken cancellationToken)
    {
        var budget = _options.Total;
        for (var redirects = 0; ; redirects++)
        {
            if (_guard.CheckUri(uri) is { } refusal) throw Failed(new(refusal.Code, refusal.Message));
            using var place = await _hosts.EnterAsync(uri.IdnHost, _options.HostWait, _time, cancellationToken)
                              ?? throw Failed(
                                  new(ImageFailureCodes.HostBusy, "Too many other images wait for this host.", IsTransient: true) { UsesAttempt = false });
            // The host first, and neither is kept across a redirect: whoever has a slot waits for no host, so a busy one holds up nobody else's images.
            using var slot = await _slots.EnterDownloadAsync(cancellationToken);

            var started = _time.GetTimestamp();
            using var deadline = new CancellationTokenSource(budget, _time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
            try
            {
                using var response = await SendAsync(uri, both.Token);
                if (RedirectTarget(uri, response) is not { } target)
                {
                    Judge(response);
                    return await ReadAsync(uri, response.Content, both.Token);
                }

                if (redirects == _options.MaxRedirects)
                    throw Failed(new(ImageFailureCodes.TooManyRedirects, $"More than {_options.MaxRedirects} redirects."));
                uri = target;
            }
            catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
            {
                throw Failed(Late, e);
            }

            budget -= _time.GetElapsedTime(started);
            if (budget <= TimeSpan.Zero) throw Failed(Late);
        }
    }

    /// <summary>One request up to the end of its headers, within their own time.</summary>
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
            throw Failed(HttpFailures.From(e), e);
        }
    }

    /// <summary>Where the answer sends us, or null if it is none of the redirects. The next request starts from nothing but this.</summary>
    private static Uri? RedirectTarget(Uri from, HttpResponseMessage response)
    {
        if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308)) return null;
        if (!response.Headers.NonValidated.TryGetValues("Location", out var values) || values.Count != 1 ||
            !Uri.TryCreate(from, values.ToString(), out var target))
            throw Failed(new(ImageFailureCodes.BadRedirect, "The server redirected to nowhere."));
        return target;
    }

    private void Judge(HttpResponseMessage response)
    {
        var retryAfter = response.Headers.RetryAfter;
        if (HttpFailures.Judge(response.StatusCode, retryAfter, _time.GetUtcNow(), _options.MaxRetryAfter) is { } failure) throw Failed(failure);
        if (response.Content.Headers.NonValidated.TryGetValues("Content-Encoding", out var encodings) &&
            encodings.Any(encoding => !encoding.Trim().Equals("identity", StringComparison.OrdinalIgnoreCase)))
            throw Failed(new(ImageFailureCodes.ContentEncoding, "The server packed the image although it was asked not to."));
        if (response.Content.Headers.ContentLength > _options.MaxBytes) throw Failed(TooLarge);
    }

    private async Task<FetchedImage> ReadAsync(Uri uri, HttpContent content, CancellationToken cancellationToken)
    {
        var expected = content.Headers.ContentLength ?? 256 * 1024;
        var buffer = new PooledBuffer((int)Math.Min(expected, _options.MaxBytes) + 1);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await ReadBodyAsync(content, buffer, hash, cancellationToken);
            if (buffer.Length == 0) throw Failed(new(ImageFailureCodes.EmptyBody, "The server answered with an empty body."));
            return new FetchedImage(buffer, FormatSniffer.Recognise(buffer.Span), hash.GetHashAndReset(), uri);
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    private async Task ReadBodyAsync(HttpContent content, PooledBuffer buffer, IncrementalHash hash, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        using var pace = new BodyPace(_options, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(pace.TooSlow, cancellationToken);
        try
        {
            await using var body = await content.ReadAsStreamAsync(either.Token);
            while (true)
            {
                // One byte beyond the limit is asked for and no more: a body that goes on is refused, not drained.
                var room = (int)Math.Min(_options.MaxBytes + 1 - buffer.Length, int.MaxValue);
                var memory = buffer.GetMemory(1);
                var count = await body.ReadAsync(memory[..Math.Min(memory.Length, room)], either.Token);
                if (count == 0) return;
                hash.AppendData(memory.Span[..count]);
                buffer.Advance(count);
                if (buffer.Length > _options.MaxBytes) throw Failed(TooLarge);
                pace.Received(buffer.Length, _time.GetElapsedTime(started));
            }
        }
        catch (OperationCanceledException e) when (pace.TooSlow.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Failed(new(ImageFailureCodes.TooSlow, "The image arrived too slowly.", IsTransient: true), e);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw Failed(HttpFailures.FromBody(e), e);
        }
    }

    private static ImageFailure Late { get; } = new(ImageFailureCodes.Timeout, "The server took too long.", IsTransient: true);

    private ImageFailure TooLarge => new(ImageFailureCodes.TooLarge, $"The file is larger than {_options.MaxBytes:N0} bytes.");

    private static ImageFailedException Failed(ImageFailure failure, Exception? inner = null) => new(failure, inner);

    public void Dispose() => _http.Dispose();
}

/// <summary>A file that was fetched and whose first bytes say it is an image. Owns its memory.</summary>
public sealed class FetchedImage(PooledBuffer buffer, ImageFormat format, byte[] sha256, Uri finalUri) : IDisposable
{
    public ImageFormat Format { get; } = format;

    public byte[] Sha256 { get; } = sha256;

    /// <summary>Where the last redirect led.</summary>
    public Uri FinalUri { get; } = finalUri;

    public int Length => buffer.Length;

    public ReadOnlyMemory<byte> Memory => buffer.Memory;

    /// <summary>A seekable stream over the bytes, valid until this is disposed.</summary>
    public Stream OpenRead() => buffer.OpenRead();

    public void Dispose() => buffer.Dispose();
}
