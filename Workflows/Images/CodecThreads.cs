using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace Darkroom.Images;

/// <summary>
/// The threads that decode and encode, one per codec slot. Their own, so that the thread pool, which carries all I/O, never
/// waits for an encoder; long-lived, so that the native allocator's per-thread memory is used again.
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
        foreach (var work in _work.GetConsumingEnumerable()) work();
    }

    public void Dispose()
    {
        _work.CompleteAdding();
        foreach (var thread in _threads) thread.Join();
        _work.Dispose();
    }
}
