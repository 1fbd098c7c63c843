using System.Diagnostics.Metrics;
using BenchmarkDotNet.Attributes;
using Darkroom.AppHost.Redis;
using Darkroom.Benchmarks.Product;
using Darkroom.Data;
using Darkroom.Leases;
using Darkroom.Queue;
using Darkroom.Telemetry;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Darkroom.Benchmarks.Loops;

/// <summary>Claims of images, from Redis to Postgres and back, on servers of their own.</summary>
public class ClaimLoops
{
    private const int Claims = 100;
    private const int Most = 24;

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly GarnetServer _garnet = GarnetServer.Start();
    private BenchmarkDatabase _database = null!;
    private ImageQueue _queue = null!;
    private ImageClaimer _claimer = null!;
    private BuiltRequest _request = null!;

    /// <summary>Images a claim.</summary>
    [Params(3, Most)]
    public int Images { get; set; }

    [GlobalSetup]
    public async Task StartAsync()
    {
        _database = await BenchmarkDatabase.StartAsync();
        _request = await new RequestBuilder(_database.Source).WithImages(Claims * Most).BuildAsync();
        _queue = new ImageQueue(
            await ConnectionMultiplexer.ConnectAsync(_garnet.ConnectionString), TimeProvider.System, Options.Create(new QueueOptions()), NullLogger<ImageQueue>.Instance);
        var lease = new ProcessLease(
            _database.Source, new ProcessKind("benchmark"), TimeProvider.System, Options.Create(new ProcessLeaseOptions()), NullLogger<ProcessLease>.Instance);
        await lease.StartAsync(CancellationToken.None);
        _claimer = new ImageClaimer(
            _database.Source, _queue, new HeldClaims(), lease, new DarkroomMetrics(_services.GetRequiredService<IMeterFactory>()), NullLogger<ImageClaimer>.Instance);
    }

    [IterationSetup]
    public void Offer()
    {
        using var command = _database.Source.CreateCommand("update images set state = 'offered', owner = null, offered_at = now()");
        command.ExecuteNonQuery();
        // The set-up of an iteration cannot be asynchronous.
        _queue.PushAsync(_request.Owner, _request.Id, [.. _request.Images]).GetAwaiter().GetResult();
    }

    [Benchmark(OperationsPerInvoke = Claims)]
    public async Task Claim()
    {
        for (var i = 0; i < Claims; i++)
        {
            // A quarter of no places is reserved for others.
            var claimed = await _claimer.ClaimAsync(new PlaceUsage(Images, Total: 0, []), CancellationToken.None);
            if (claimed.Images.Count != Images)
                throw new InvalidOperationException($"{claimed.Images.Count} images were claimed.");
        }
    }

    [GlobalCleanup]
    public async Task StopAsync()
    {
        await _database.DisposeAsync();
        _garnet.Dispose();
        await _services.DisposeAsync();
    }
}
