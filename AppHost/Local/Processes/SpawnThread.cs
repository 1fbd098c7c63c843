using System.Collections.Concurrent;

namespace Darkroom.AppHost.Local.Processes;

/// <summary>
/// The one thread that starts children. Linux ties the parent-death signal to the *thread* that forked, not to the process:
/// from a pool thread, children would die whenever the pool shrinks.
/// </summary>
internal static class SpawnThread
{
    private static readonly BlockingCollection<Action> Work = Start();

    public static Task<T> RunAsync<T>(Func<T> start)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Work.Add(() =>
        {
            try
            {
                done.SetResult(start());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    private static BlockingCollection<Action> Start()
    {
        var work = new BlockingCollection<Action>();
        new Thread(() =>
        {
            foreach (var action in work.GetConsumingEnumerable()) action();
        })
        { IsBackground = true, Name = "spawn" }.Start();
        return work;
    }
}
