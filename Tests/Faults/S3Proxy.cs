using System.Net;
using System.Text.RegularExpressions;
using Darkroom.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Logging;

namespace Darkroom.Tests.Faults;

/// <summary>A request to S3, without the ids that differ between runs.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">The path, with request ids and hashes replaced by <c>*</c>.</param>
/// <param name="Query">The names of the query's parameters.</param>
internal sealed record S3Request(string Method, string Path, string Query)
{
    public bool IsImage => Method == "PUT" && Path.Contains("/images/", StringComparison.Ordinal);
    public bool IsOriginal => Method == "PUT" && Path.Contains("/originals/", StringComparison.Ordinal);
    public bool IsCompletion => Method == "POST" && Query.Contains("uploadId", StringComparison.Ordinal);

    public override string ToString() => $"{Method} {Path}?{Query}";
}

/// <summary>
/// An HTTP proxy in front of an S3 endpoint that fails requests before or after their effect. It keeps the Host header, so signatures stay
/// valid. It holds whole bodies in memory: the tests' objects are small.
/// </summary>
internal sealed partial class S3Proxy : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, AutomaticDecompression = DecompressionMethods.None })
    {
        Timeout = TimeSpan.FromMinutes(2),
    };
    private readonly Uri _target;
    private readonly CancellationTokenSource _stop = new();
    private int _requests;

    private S3Proxy(WebApplication app, Uri target) => (_app, _target) = (app, target);

    /// <summary>Decides what happens to a request. May wait. Null: all pass.</summary>
    public Func<S3Request, Task<FaultKind>>? Before { get; set; }

    /// <summary>Called when S3 has answered and the client has not heard of it yet. May wait.</summary>
    public Func<S3Request, Task>? After { get; set; }

    public int Requests => Volatile.Read(ref _requests);

    public Uri Url => new(_app.Urls.First());

    public static async Task<S3Proxy> StartAsync(Uri target, IPAddress? address = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls($"http://{address ?? IPAddress.Loopback}:0");
        builder.WebHost.ConfigureKestrel(server => server.Limits.MaxRequestBodySize = null);
        builder.Logging.ClearProviders();
        var proxy = new S3Proxy(builder.Build(), target);
        proxy._app.Run(proxy.HandleAsync);
        await proxy._app.StartAsync();
        return proxy;
    }

    /// <summary>The same bucket, through the proxy.</summary>
    public string ConnectionStringOf(S3ConnectionString direct) =>
        $"Endpoint={Url.AbsoluteUri};Region={direct.Region};Bucket={direct.Bucket};ForcePathStyle=true;AccessKey={direct.AccessKey};SecretKey={direct.SecretKey}";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _app.StopAsync(_stop.Token);
        await _app.DisposeAsync();
        _client.Dispose();
        _stop.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        Interlocked.Increment(ref _requests);
        var request = Describe(context.Request);
        var fault = Before is { } before ? await before(request) : FaultKind.None;
        switch (fault)
        {
            case FaultKind.CutBefore:
                context.Abort();
                return;
            case FaultKind.ErrorBefore:
                await RefuseAsync(context, 500, "InternalError");
                return;
            case FaultKind.SlowDownBefore:
                await RefuseAsync(context, 503, "SlowDown");
                return;
            case FaultKind.DiskFullBefore:
                await RefuseAsync(context, 507, "XMinioStorageFull");
                return;
            case FaultKind.ErrorInBody when request.IsCompletion:
                await RefuseAsync(context, 200, "InternalError");
                return;
            case FaultKind.Slow:
                await Task.Delay(StoreRelay.SlowDelay, TimeProvider.System, context.RequestAborted);
                break;
        }

        await ForwardAsync(context, request, fault);
    }

    private async Task ForwardAsync(HttpContext context, S3Request request, FaultKind fault)
    {
        using var forwarded = await CopyRequestAsync(context.Request);
        // Not cancelled with the client's connection: S3 would not notice either that its client is gone.
        using var response = await _client.SendAsync(forwarded, HttpCompletionOption.ResponseContentRead, _stop.Token);
        if (After is { } after)
            await after(request);
        switch (fault)
        {
            case FaultKind.CutAfter:
                context.Abort();
                return;
            case FaultKind.SilentAfter:
                using (var ends = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, context.RequestAborted))
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ends.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                context.Abort();
                return;
            case FaultKind.ErrorAfter:
                await RefuseAsync(context, 500, "InternalError");
                return;
        }

        await CopyResponseAsync(response, context, fault == FaultKind.Corrupt);
    }

    private async Task<HttpRequestMessage> CopyRequestAsync(HttpRequest request)
    {
        // The raw target, because the signature covers its exact form.
        var url = new Uri(_target, request.GetEncodedPathAndQuery());
        var forwarded = new HttpRequestMessage(new HttpMethod(request.Method), url);
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, _stop.Token);
        if (body.Length > 0 || request.ContentLength is not null)
            forwarded.Content = new ByteArrayContent(body.ToArray());
        foreach (var (name, value) in request.Headers)
        {
            if (name.Equals("Expect", StringComparison.OrdinalIgnoreCase) || name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
                continue;
            if (!forwarded.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)value))
                forwarded.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)value);
        }

        return forwarded;
    }

    private static async Task CopyResponseAsync(HttpResponseMessage response, HttpContext context, bool corrupt)
    {
        var body = await response.Content.ReadAsByteArrayAsync();
        context.Response.StatusCode = (int)response.StatusCode;
        foreach (var (name, values) in response.Headers.Concat(response.Content.Headers))
        {
            if (name is "Transfer-Encoding" or "Connection")
                continue;
            var value = string.Join(", ", values);
            context.Response.Headers[name] = corrupt && IsDigest(name) ? Wrong(value) : value;
        }

        if (corrupt && body.Length > 0 && response.IsSuccessStatusCode && response.Content.Headers.ContentType?.MediaType != "application/xml")
            body[body.Length / 2] ^= 0xff;
        if (context.Request.Method != "HEAD" && body.Length > 0)
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private static bool IsDigest(string name) =>
        name.Equals("ETag", StringComparison.OrdinalIgnoreCase) || name.StartsWith("x-amz-checksum-", StringComparison.OrdinalIgnoreCase);

    private static string Wrong(string digest) => digest.StartsWith('"') ? $"\"{new string('0', 32)}\"" : new string('A', Math.Max(0, digest.Length - 1)) + "=";

    private static async Task RefuseAsync(HttpContext context, int status, string code)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/xml";
        await context.Response.WriteAsync($"<Error><Code>{code}</Code><Message>Refused for a test.</Message></Error>");
    }

    private static S3Request Describe(HttpRequest request) => new(
        request.Method, Ids().Replace(request.Path.Value ?? "", "*"), string.Join('&', request.Query.Keys.Order(StringComparer.Ordinal)));

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|[0-9a-f]{16}")]
    private static partial Regex Ids();
}
