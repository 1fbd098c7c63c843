using System.ComponentModel.DataAnnotations;
using Darkroom.Data;
using Microsoft.Extensions.Options;

namespace Darkroom.Images;

/// <summary>How much image work one worker process does at once. Section <c>ImageWork</c>.</summary>
public sealed class ImageWorkOptions
{
    /// <summary>Downloads at once. They wait for networks, so many more than cores; each holds at most one file in memory.</summary>
    [Range(1, 1024)]
    public int Downloads { get; set; } = 16;

    /// <summary>Images in hand at once, from claim to stored result. More than downloads, so that decoding never waits for a network.</summary>
    [Range(1, 4096)]
    public int Concurrency { get; set; } = 24;

    /// <summary>How long images in hand may still finish when the process is asked to stop; the rest is handed back. Default 8 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:25")]
    public TimeSpan Stop { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>Wait before an image is tried again after its first transient failure; doubled each time. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:10:00")]
    public TimeSpan FirstRetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest wait between two tries of an image. Default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "1.00:00:00")]
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The wait after try number <paramref name="attempt"/> failed.</summary>
    /// <param name="asked">What the source asked for, if it did; it is waited for at least.</param>
    /// <param name="jitter">0 to 1.</param>
    internal static TimeSpan NextDelay(int attempt, TimeSpan? asked, ImageWorkOptions options, double jitter)
    {
        var delay = Backoff.NextDelay(attempt, options.FirstRetryDelay, options.MaxRetryDelay, jitter);
        return asked > delay ? asked.Value : delay;
    }
}

/// <summary>The download slots of this process. The codec has its own slots, so downloads and codec never wait for each other.</summary>
public sealed class ImageSlots(IOptions<ImageWorkOptions> options) : IDisposable
{
    private readonly SemaphoreSlim _downloads = new(options.Value.Downloads, options.Value.Downloads);

    /// <summary>Waits for a download slot; disposing the result releases it.</summary>
    public async ValueTask<IDisposable> EnterDownloadAsync(CancellationToken cancellationToken)
    {
        await _downloads.WaitAsync(cancellationToken);
        return new Slot(_downloads);
    }

    public void Dispose() => _downloads.Dispose();

    private sealed class Slot(SemaphoreSlim semaphore) : IDisposable
    {
        public void Dispose() => semaphore.Release();
    }
}
