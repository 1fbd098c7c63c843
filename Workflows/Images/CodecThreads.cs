using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace Darkroom.Images;

/// <summary>
/// Dedicated threads for decoding and encoding, one per codec slot. Dedicated, so that an encoder never blocks the thread pool,
/// which serves all I/O; long-lived, so that the native allocator's per-thread memory is reused.
/// </summary>
public sealed class CodecThreads : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread[] _threads;

    public CodecThreads(IOptions<ImageOptions> options)
    {
        _threads = [.. Enumerable.Range(1, options.Value.EffectiveCodecSlots).Select(Start)];
    }

    public Task<T> RunAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    private Thread Start(int number)
    {
        var thread = new Thread(Run) { IsBackground = true, Name = $"codec {number}" };
        thread.Start();
        return thread;
    }

    private void Run()
    {
        foreach (var work in _work.GetConsumingEnumerable())
            work();
    }

    public void Dispose()
    {
        _work.CompleteAdding();
        foreach (var thread in _threads)
            thread.Join();
        _work.Dispose();
    }
}
