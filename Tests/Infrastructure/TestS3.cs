using Amazon.S3;
using Darkroom.AppHost.Storage;
using Darkroom.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Infrastructure;

/// <summary>A separate S3 endpoint in this process, on a temporary folder, with one bucket.</summary>
public sealed class TestS3 : IAsyncDisposable
{
    private readonly string _folder = ServerData.CreateFolder("darkroom-s3-");
    private readonly List<IDisposable> _clients = [];
    private readonly TimeProvider _time;
    private S3Endpoint _endpoint = null!;

    private TestS3(TimeProvider time) => _time = time;

    /// <summary>
    /// Called before each request is served. May delay the request, or respond to it (<see cref="RefuseAsync"/>), in which case the
    /// endpoint does not serve it. Can be changed at any time; null lets all requests through.
    /// </summary>
    public Func<HttpContext, Task>? BeforeRequest { get; set; }

    public string ConnectionString => _endpoint.ConnectionString;
    public Uri Url => _endpoint.Url;
    public string DataFolder => _folder;
    public S3ConnectionString Connection => S3ConnectionString.Parse(ConnectionString);

    public static async Task<TestS3> StartAsync(TimeProvider? time = null)
    {
        var s3 = new TestS3(time ?? TimeProvider.System);
        await s3.StartEndpointAsync(port: 0);
        return s3;
    }

    /// <summary>A store on this endpoint. Fault tests configure shorter timeouts than the defaults.</summary>
    public ObjectStore CreateStore(Action<ObjectStoreOptions>? configure = null, string? connectionString = null)
    {
        var connection = S3ConnectionString.Parse(connectionString ?? ConnectionString);
        var options = new ObjectStoreOptions();
        configure?.Invoke(options);
        return new ObjectStore(CreateClient(connection, options), connection, TimeProvider.System, Options.Create(options));
    }

    /// <summary>The SDK's client with the same settings as in production.</summary>
    internal AmazonS3Client CreateClient(S3ConnectionString? connection = null, ObjectStoreOptions? options = null)
    {
        var client = S3ClientFactory.Create(connection ?? Connection, options ?? new ObjectStoreOptions());
        _clients.Add(client);
        return client;
    }

    /// <summary>Restarts the endpoint on the same folder and port.</summary>
    public async Task RestartAsync()
    {
        var port = Url.Port;
        await _endpoint.StopAsync();
        await _endpoint.DisposeAsync();
        await StartEndpointAsync(port);
    }

    /// <summary>Responds with an S3 error, for use in <see cref="BeforeRequest"/>.</summary>
    public static async Task RefuseAsync(HttpContext context, int status, string code)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/xml";
        await context.Response.WriteAsync($"<Error><Code>{code}</Code><Message>Refused for a test.</Message></Error>");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            client.Dispose();
        await _endpoint.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartEndpointAsync(int port) =>
        _endpoint = await S3Endpoint.StartAsync(new S3EndpointOptions
        {
            DataFolder = _folder,
            Port = port,
            AccessKey = "test",
            SecretKey = "test-secret",
            Bucket = "darkroom",
            Time = _time,
            Intercept = context => BeforeRequest?.Invoke(context) ?? Task.CompletedTask,
        });
}
