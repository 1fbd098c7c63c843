using Darkroom.Queue;

namespace Darkroom.Worker.Queue;

/// <summary>Lets this process stop only when every outcome that was handed in is durable.</summary>
internal sealed class RecorderService(ImageRecorder recorder) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => recorder.DrainAsync(cancellationToken);
}
