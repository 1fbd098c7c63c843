using Darkroom.Api.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Darkroom.Tests.Pages;

/// <summary>The page without an API behind it, on a free port.</summary>
internal sealed class PageSite : IAsyncDisposable
{
    private WebApplication? _app;
    private HttpClient? _client;

    public string? ImageOrigins { get; init; }
    public string? SampleCsv { get; init; }

    public HttpClient Client => _client ?? throw new InvalidOperationException("Start it first.");

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Pages:ImageOrigins"] = ImageOrigins ?? "",
            ["Pages:SampleCsv"] = SampleCsv,
        });
        builder.Services.AddPages();
        _app = builder.Build();
        _app.MapPages();
        await _app.StartAsync();
        var address = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        _client = new HttpClient { BaseAddress = new Uri(address) };
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_app is not null)
            await _app.DisposeAsync();
    }
}
