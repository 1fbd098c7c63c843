using Darkroom.Queue;

namespace Darkroom.Worker.Queue;

/// <summary>Delays shutdown until all queued outcomes are durable.</summary>
internal sealed class RecorderService(ImageRecorder recorder) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => recorder.DrainAsync(cancellationToken);
}
