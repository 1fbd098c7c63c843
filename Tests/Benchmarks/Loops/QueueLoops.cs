using BenchmarkDotNet.Attributes;
using Darkroom.AppHost.Redis;
using Darkroom.Data;
using Darkroom.Queue;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Darkroom.Benchmarks.Loops;

/// <summary>Images into Redis and out of it, beside few and many that are queued already.</summary>
public class QueueLoops
{
    private const int Rounds = 100;
    private const int ImagesPerRequest = 32;

    private readonly GarnetServer _garnet = GarnetServer.Start();
    private readonly OwnerId _owner = new(Guid.NewGuid());
    private ImageQueue _queue = null!;
    private long _lastImage;

    /// <summary>Images that are queued meanwhile, of requests with 32 each.</summary>
    [Params(320, 32_000)]
    public int Queued { get; set; }

    [GlobalSetup]
    public async Task StartAsync()
    {
        _queue = new ImageQueue(
            await ConnectionMultiplexer.ConnectAsync(_garnet.ConnectionString), TimeProvider.System, Options.Create(new QueueOptions()), NullLogger<ImageQueue>.Instance);
        for (var i = 0; i < Queued / ImagesPerRequest; i++)
            await PushAsync();
    }

    [Benchmark(OperationsPerInvoke = Rounds)]
    public async Task PushAndPop()
    {
        for (var i = 0; i < Rounds; i++)
        {
            await PushAsync();
            // A quarter of no places is reserved for others.
            var popped = await _queue.PopAsync(new PlaceUsage(ImagesPerRequest, Total: 0, []));
            if (popped.Images.Count != ImagesPerRequest)
                throw new InvalidOperationException($"{popped.Images.Count} images were popped.");
        }
    }

    [GlobalCleanup]
    public void Stop() => _garnet.Dispose();

    private Task PushAsync() =>
        _queue.PushAsync(_owner, new RequestId(Guid.NewGuid()), [.. Enumerable.Range(0, ImagesPerRequest).Select(_ => new ImageId(++_lastImage))]);
}
