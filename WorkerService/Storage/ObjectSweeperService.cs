using Darkroom.Retention;
using Microsoft.Extensions.Options;

namespace Darkroom.Worker.Storage;

/// <summary>Looks now and then for ended runs whose leftovers are due to be deleted.</summary>
internal sealed partial class ObjectSweeperService(
    ObjectSweeper sweeper, TimeProvider time, IOptions<ObjectSweeperOptions> options, ILogger<ObjectSweeperService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.Every, time);
        do
        {
            try
            {
                await sweeper.SweepAsync(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(e);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Objects could not be swept; trying again")]
    private partial void LogFailed(Exception exception);
}
