using System.Collections.Concurrent;
using Darkroom.Tests.Images.Decoders;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using NetVips;

namespace Darkroom.Tests.Infrastructure;

/// <summary>
/// The server that tests download images from: <c>/good/{n}.jpg</c> is a different photo for every n; other paths misbehave.
/// </summary>
internal sealed class ImageServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, byte[]> _images = new();
    private readonly ConcurrentDictionary<string, int> _requests = new();
    private volatile TaskCompletionSource _open = Opened();

    private ImageServer(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();

    /// <summary>Number of requests by path.</summary>
    public IReadOnlyDictionary<string, int> Requests => _requests;

    public static async Task<ImageServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var server = new ImageServer(builder.Build());
        server._app.Run(server.HandleAsync);
        await server._app.StartAsync();
        return server;
    }

    public string Good(int n) => $"{Url}/good/{n}.jpg";

    public string Rgba(int n) => $"{Url}/rgba/{n}.png";

    public string Missing(int n) => $"{Url}/missing/{n}.jpg";

    public string Broken(int n) => $"{Url}/broken/{n}.jpg";

    /// <summary>Responds with 503 the first time and with the photo afterwards.</summary>
    public string Flaky(int n) => $"{Url}/flaky/{n}.jpg";

    /// <summary>While the gate is closed, requests hang until <see cref="OpenGate"/>.</summary>
    public string Gated(int n) => $"{Url}/gated/{n}.jpg";

    /// <summary>A different photo each time.</summary>
    public string Changing(int n) => $"{Url}/changing/{n}.jpg";

    /// <summary>A photo that crashes a <see cref="StandInDecoder"/>, and no other.</summary>
    public string Poison(int n) => $"{Url}/poison/{n}.jpg";

    /// <summary>Completes when the URL was requested at least this many times.</summary>
    public Task RequestedAsync(string url, int times) =>
        Eventually.GetAsync(
            () => Task.FromResult(_requests.GetValueOrDefault(new Uri(url).AbsolutePath)), count => count >= times,
            $"{url} is requested {times} times");

    public void CloseGate() => _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void OpenGate() => _open.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        OpenGate();
        await _app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        // So that a host's name is looked up for each image.
        if (Uri.CheckHostName(context.Request.Host.Host) == UriHostNameType.Dns)
            context.Response.Headers.Connection = "close";
        var times = _requests.AddOrUpdate(path, 1, (_, count) => count + 1);
        switch (path.Split('/')[1])
        {
            case "missing":
                context.Response.StatusCode = 404;
                return;
            case "broken":
                await context.Response.Body.WriteAsync(Photo(path).AsMemory(0, 200), context.RequestAborted);
                return;
            case "flaky" when times == 1:
                context.Response.StatusCode = 503;
                return;
            case "gated":
                await _open.Task.WaitAsync(context.RequestAborted);
                break;
            case "changing":
                path = $"{path}?{times}";
                break;
        }

        var image = path.Split('/')[1] switch
        {
            "rgba" => Transparent(path),
            "poison" => [.. Photo(path), .. StandInDecoder.File("crash")],
            _ => Photo(path),
        };
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = image.Length;
        await context.Response.Body.WriteAsync(image, context.RequestAborted);
    }

    private byte[] Photo(string path) => _images.GetOrAdd(path, key =>
    {
        using var noise = Image.Gaussnoise(320, 240, sigma: 12, mean: 60 + (Seed(key) % 130), seed: Seed(key));
        using var smooth = noise.Gaussblur(2);
        using var colours = smooth.Bandjoin(smooth.Rot180(), smooth.Flip(Enums.Direction.Horizontal)).Cast(Enums.BandFormat.Uchar);
        using var photo = colours.Copy(interpretation: Enums.Interpretation.Srgb);
        return photo.JpegsaveBuffer(q: 92);
    });

    private byte[] Transparent(string path) => _images.GetOrAdd(path, key =>
    {
        using var noise = Image.Gaussnoise(200, 160, sigma: 20, mean: 128, seed: Seed(key));
        using var bands = noise.Bandjoin(noise.Rot180(), noise.Flip(Enums.Direction.Horizontal), noise.Flip(Enums.Direction.Vertical)).Cast(Enums.BandFormat.Uchar);
        using var image = bands.Copy(interpretation: Enums.Interpretation.Srgb);
        return image.PngsaveBuffer();
    });

    private static int Seed(string key) => key.Aggregate(17, (hash, c) => unchecked((hash * 31) + c)) & 0x7fffff;

    private static TaskCompletionSource Opened()
    {
        var opened = new TaskCompletionSource();
        opened.SetResult();
        return opened;
    }
}
