using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Darkroom.Benchmarks.Product;

/// <summary>Receives the webhooks of finished requests.</summary>
internal sealed class WebhookInbox : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ChannelReader<JsonElement> _received;

    private WebhookInbox(WebApplication app, ChannelReader<JsonElement> received, string url) => (_app, _received, Url) = (app, received, url);

    public string Url { get; }

    public static async Task<WebhookInbox> StartAsync()
    {
        var received = Channel.CreateUnbounded<JsonElement>();
        var (app, url) = await ChildServer.ListenAsync(port: 0, async context =>
        {
            var body = await JsonDocument.ParseAsync(context.Request.Body, default, context.RequestAborted);
            received.Writer.TryWrite(body.RootElement);
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        });
        return new WebhookInbox(app, received.Reader, new Uri(url, "done").ToString());
    }

    public async Task<JsonElement> NextAsync(TimeSpan timeout) => await _received.ReadAsync().AsTask().WaitAsync(timeout);

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
