using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Darkroom.AppHost.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Benchmarks.Product;

/// <summary>
/// A server around the measured systems, in a process of its own so that its CPU time is known. It runs until its standard input closes, which
/// also happens if the benchmark dies, and says then what it has served.
/// </summary>
internal sealed class ChildServer : IAsyncDisposable
{
    private readonly Process _process;

    private ChildServer(Process process, string url) => (_process, Url) = (process, url);

    public string Url { get; }

    public int Id => _process.Id;

    /// <summary>Starts this program with a verb that ends in <see cref="ServeAsync"/>.</summary>
    public static async Task<ChildServer> StartAsync(params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(DotnetHost.Path, [typeof(ChildServer).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        })!;
        var url = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"The server '{arguments[0]}' did not start.");
        return new ChildServer(process, url);
    }

    /// <summary>In the child process: says where it listens and, in the end, what it has served.</summary>
    public static async Task ServeAsync(Uri url, Served served)
    {
        Console.WriteLine(url.GetLeftPart(UriPartial.Authority));
        await Console.In.ReadToEndAsync();
        Console.WriteLine(JsonSerializer.Serialize(served));
    }

    /// <summary>A server on loopback in this process, a child or not.</summary>
    public static async Task<(WebApplication App, Uri Url)> ListenAsync(int port, Microsoft.AspNetCore.Http.RequestDelegate handle)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        var app = builder.Build();
        app.Run(handle);
        await app.StartAsync();
        return (app, new Uri(app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single()));
    }

    /// <summary>Ends it.</summary>
    public async Task<Served> StopAsync()
    {
        _process.StandardInput.Close();
        var served = await _process.StandardOutput.ReadToEndAsync();
        await _process.WaitForExitAsync();
        return JsonSerializer.Deserialize<Served>(served)!;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await StopAsync();
        _process.Dispose();
    }
}

/// <summary>What a server has sent or received: images, and their bytes. Thread-safe.</summary>
internal sealed class Served
{
    private long _images;
    private long _bytes;

    public long Images
    {
        get => _images;
        init => _images = value;
    }

    public long Bytes
    {
        get => _bytes;
        init => _bytes = value;
    }

    public void Add(long bytes)
    {
        Interlocked.Increment(ref _images);
        Interlocked.Add(ref _bytes, bytes);
    }
}
