using System.Collections.Concurrent;
using System.Text;
using System.Threading.Channels;
using Darkroom.Webhooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using StandardWebhooks;
using StandardWebhooks.Diagnostics;

namespace Darkroom.Tests.Webhooks;

/// <summary>A fake webhook receiver. It records what it receives and responds as configured.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<ReceivedWebhook> _received = Channel.CreateUnbounded<ReceivedWebhook>();

    private WebhookReceiver(WebApplication app) => _app = app;

    /// <summary>How it responds; by default with 204.</summary>
    public Func<HttpContext, Task> Answer { get; set; } = context =>
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    };

    public ConcurrentQueue<ReceivedWebhook> All { get; } = new();

    public string Url => _app.Urls.First() + "/hook";

    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var receiver = new WebhookReceiver(builder.Build());
        receiver._app.Run(receiver.ReceiveAsync);
        await receiver._app.StartAsync();
        return receiver;
    }

    public void AnswerStatus(int status) => Answer = context =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    };

    /// <summary>Waits for the next webhook.</summary>
    public async Task<ReceivedWebhook> NextAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60), TimeProvider.System);
        return await _received.Reader.ReadAsync(limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var webhook = new ReceivedWebhook(
            context.Request.Method,
            context.Request.Path,
            context.Request.ContentType,
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body.ToArray());
        // Read before the request is published: a test that then changes the response means the next one.
        var answer = Answer;
        All.Enqueue(webhook);
        _received.Writer.TryWrite(webhook);
        await answer(context);
    }
}

internal sealed record ReceivedWebhook(
    string Method, string Path, string? ContentType, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Id => Headers[WebhookSignature.IdHeader];

    /// <summary>Whether a receiver that holds this secret accepts the webhook, according to an independent library.</summary>
    // One signature at a time: of several, the library never tries the last.
    public bool IsSignedWith(string secret) =>
        Headers[WebhookSignature.SignatureHeader].Split(' ').Any(signature => IsSignedWith(secret, signature));

    private bool IsSignedWith(string secret, string signature)
    {
        var headers = new HeaderDictionary(Headers.ToDictionary(header => header.Key, header => new StringValues(header.Value), StringComparer.OrdinalIgnoreCase))
        {
            [WebhookSignature.SignatureHeader] = signature,
        };
        try
        {
            new StandardWebhook(secret).Verify(Encoding.UTF8.GetString(Body), headers);
            return true;
        }
        catch (WebhookVerificationException)
        {
            return false;
        }
    }
}
