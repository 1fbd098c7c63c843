using Darkroom.Access;
using Darkroom.Api;
using Darkroom.AppHost.Hosting;
using Darkroom.Tests.Images.Decoders;
using Darkroom.Tests.Infrastructure;
using Darkroom.Worker;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Darkroom.Tests.Pages;

/// <summary>The page with its whole backend: API and worker on Postgres, Redis and S3, and an image server to download from.</summary>
internal sealed class PageProduct : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _parts = [];
    private IHost? _worker;
    private ApiKeyStore? _keys;

    public string Origin { get; } = $"http://127.0.0.1:{FreePort.Find()}";
    public string Key { get; private set; } = "";
    public ImageServer Images { get; private set; } = null!;
    public TestS3 S3 { get; private set; } = null!;

    public static async Task<PageProduct> StartAsync()
    {
        var product = new PageProduct();
        try
        {
            await product.StartPartsAsync();
            return product;
        }
        catch
        {
            await product.DisposeAsync();
            throw;
        }
    }

    /// <summary>Another key for the same owner.</summary>
    public async Task<string> KeyAsync(params string[] scopes) => (await _keys!.CreateAsync("page", "test", scopes, CancellationToken.None)).Text;

    public Task RevokeAsync(string key) => _keys!.RevokeAsync(ApiKeyText.Prefix(key)!, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        if (_worker is not null)
        {
            await _worker.StopAsync();
            await ((IAsyncDisposable)_worker).DisposeAsync();
        }

        foreach (var part in Enumerable.Reverse(_parts))
            await part.DisposeAsync();
    }

    private async Task StartPartsAsync()
    {
        var database = Add(await TestDatabase.CreateAsync());
        S3 = Add(await TestS3.StartAsync());
        var redis = Add(await TestRedis.StartAsync());
        Images = Add(await ImageServer.StartAsync());
        string[] settings =
        [
            "--environment=Production",
            $"--ConnectionStrings:darkroom={database.ConnectionString}",
            $"--ConnectionStrings:redis={redis.ConnectionString}",
            $"--ConnectionStrings:s3={S3.ConnectionString}",
            $"--Links:BaseUrl={Origin}",
            "--Egress:AllowLoopback=true",
            "--Images:CodecSlots=1",
            "--Logging:LogLevel:Default=None",
        ];

        WebApplication api = Add(ApiApp.Build([.. settings, $"--urls={Origin}"]));
        await api.StartAsync();
        _worker = WorkerApp.Build(settings, builder => builder.Services.AddSingleton(TestDecoders.Own));
        await _worker.StartAsync();
        _keys = api.Services.GetRequiredService<ApiKeyStore>();
        Key = await KeyAsync(Scopes.Requests);
    }

    private T Add<T>(T part)
        where T : IAsyncDisposable
    {
        _parts.Add(part);
        return part;
    }
}
