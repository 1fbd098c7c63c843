using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Benchmarks.Product;

/// <summary>Receives the webhooks of finished requests.</summary>
internal sealed class WebhookInbox : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<JsonElement> _received = Channel.CreateUnbounded<JsonElement>();

    private WebhookInbox(WebApplication app) => _app = app;

    public string Url { get; private set; } = "";

    public static async Task<WebhookInbox> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var inbox = new WebhookInbox(app);
        app.Run(async context =>
        {
            var body = await JsonDocument.ParseAsync(context.Request.Body, default, context.RequestAborted);
            inbox._received.Writer.TryWrite(body.RootElement);
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        });
        await app.StartAsync();
        inbox.Url = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single() + "/done";
        return inbox;
    }

    public async Task<JsonElement> NextAsync(TimeSpan timeout) => await _received.Reader.ReadAsync().AsTask().WaitAsync(timeout);

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
