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
    public string Poison(int n) => $"{Url}/poison/{n}.png";

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
            "poison" => [.. Transparent(path), .. StandInDecoder.File("crash")],
            _ => Photo(path),
        };
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = image.Length;
        await context.Response.Body.WriteAsync(image, context.RequestAborted);
    }

    private byte[] Photo(string path) => _images.GetOrAdd(path, key =>
    {
        using var photo = Image.NewFromMemory(Texture(320, 240, bands: 3, Seed(key)), 320, 240, 3, Enums.BandFormat.Uchar);
        using var coloured = photo.Copy(interpretation: Enums.Interpretation.Srgb);
        return coloured.JpegsaveBuffer(q: 92);
    });

    private byte[] Transparent(string path) => _images.GetOrAdd(path, key =>
    {
        using var photo = Image.NewFromMemory(Texture(200, 160, bands: 4, Seed(key)), 200, 160, 4, Enums.BandFormat.Uchar);
        using var coloured = photo.Copy(interpretation: Enums.Interpretation.Srgb);
        return coloured.PngsaveBuffer();
    });

    /// <summary>
    /// Patches of different brightness with some noise: no two seeds give the same. Tests need thousands, so they are cheap to make.
    /// </summary>
    private static byte[] Texture(int width, int height, int bands, int seed)
    {
        const int patch = 20;
        var random = new Random(seed);
        var patches = new byte[(width / patch + 1) * (height / patch + 1) * bands];
        random.NextBytes(patches);
        var noise = new byte[width * bands];
        var pixels = new byte[width * height * bands];
        for (var y = 0; y < height; y++)
        {
            random.NextBytes(noise);
            var row = pixels.AsSpan(y * width * bands, width * bands);
            for (var x = 0; x < width; x++)
                for (var band = 0; band < bands; band++)
                    row[x * bands + band] =
                        (byte)(64 + patches[(y / patch * (width / patch) + x / patch) * bands + band] / 4 + noise[x * bands + band] / 64);
        }

        return pixels;
    }

    private static int Seed(string key) => key.Aggregate(17, (hash, c) => unchecked((hash * 31) + c)) & 0x7fffff;

    private static TaskCompletionSource Opened()
    {
        var opened = new TaskCompletionSource();
        opened.SetResult();
        return opened;
    }
}
