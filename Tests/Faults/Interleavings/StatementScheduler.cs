using System.Diagnostics;

namespace Darkroom.Tests.Faults.Interleavings;

/// <summary>
/// Runs several actors against Postgres one statement at a time, in an order chosen by a seed. Each actor has its own relay, which holds
/// every statement until it is this actor's turn. A statement that waits for a lock does not hold up the others.
/// </summary>
internal sealed class StatementScheduler(Random random)
{
    /// <summary>After this time a statement that has not been answered is taken to wait for a lock; only the order depends on it.</summary>
    private static readonly TimeSpan LockWait = TimeSpan.FromMilliseconds(15);

    private readonly Lock _gate = new();
    private readonly List<Actor> _actors = [];
    private readonly SemaphoreSlim _changed = new(0);

    /// <summary>How many statements have been let through.</summary>
    public int Steps { get; private set; }

    /// <summary>The order so far, for the message of a failure.</summary>
    public List<string> Trace { get; } = [];

    /// <summary>Adds an actor; its relay stops at every statement until it has finished.</summary>
    public void Add(string name, PostgresRelay relay, Func<Task> run)
    {
        var actor = new Actor(name, relay, run);
        relay.Before = text => HoldAsync(actor, text);
        relay.After = (text, fault) => AnsweredAsync(actor, text, fault);
        _actors.Add(actor);
    }

    /// <summary>Runs all actors to their end.</summary>
    /// <param name="check">Called between statements.</param>
    public async Task RunAsync(Func<Task> check)
    {
        foreach (var actor in _actors)
            actor.Running = RunAsync(actor);
        while (await ChooseAsync() is { } chosen)
        {
            Trace.Add($"{chosen.Name}: {chosen.Statement}");
            Steps++;
            await chosen.ReleaseAsync(LockWait);
            await check();
        }

        await Task.WhenAll(_actors.Select(actor => actor.Running));
        foreach (var actor in _actors)
            (actor.Relay.Before, actor.Relay.After) = (null, null);
    }

    private async Task RunAsync(Actor actor)
    {
        try
        {
            await Task.Run(actor.Run);
        }
        finally
        {
            lock (_gate)
                actor.HasEnded = true;
            _changed.Release();
        }
    }

    /// <summary>The next actor: one of those at a statement, once all others are at one too, have ended, or wait for a lock.</summary>
    private async Task<Actor?> ChooseAsync()
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            lock (_gate)
            {
                if (_actors.All(actor => actor.HasEnded))
                    return null;
                var held = _actors.Where(actor => actor.IsHeld).ToList();
                var areSettled = _actors.All(actor => actor.IsHeld || actor.HasEnded || actor.IsInStatement);
                if (held.Count > 0 && (areSettled || waited.Elapsed > LockWait))
                    return held[random.Next(held.Count)];
            }

            await _changed.WaitAsync(LockWait);
        }
    }

    private async Task<FaultKind> HoldAsync(Actor actor, string text)
    {
        if (!HasEffect(text))
            return FaultKind.None;
        TaskCompletionSource turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
            actor.Hold(turn, text);
        _changed.Release();
        await turn.Task;
        return FaultKind.None;
    }

    private Task<FaultKind> AnsweredAsync(Actor actor, string text, FaultKind fault)
    {
        if (!HasEffect(text))
            return Task.FromResult(fault);
        lock (_gate)
            actor.Answer();
        _changed.Release();
        return Task.FromResult(fault);
    }

    /// <summary>Beginning a transaction and resetting a session touch no row, so their order does not matter.</summary>
    private static bool HasEffect(string text) =>
        text.Length > 0 && !text.StartsWith("BEGIN", StringComparison.Ordinal) && !text.StartsWith("DISCARD", StringComparison.Ordinal);

    private sealed class Actor(string name, PostgresRelay relay, Func<Task> run)
    {
        private TaskCompletionSource? _turn;
        private TaskCompletionSource _answered = new();

        public string Name => name;
        public PostgresRelay Relay => relay;
        public Func<Task> Run => run;
        public Task Running { get; set; } = Task.CompletedTask;
        public bool HasEnded { get; set; }
        public bool IsHeld => _turn is not null;
        public bool IsInStatement { get; private set; }
        public string Statement { get; private set; } = "";

        public void Hold(TaskCompletionSource turn, string text)
        {
            _turn = turn;
            _answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Statement = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Take(6));
        }

        public void Answer()
        {
            IsInStatement = false;
            _answered.TrySetResult();
        }

        public async Task ReleaseAsync(TimeSpan wait)
        {
            var (turn, answered) = (_turn!, _answered.Task);
            _turn = null;
            IsInStatement = true;
            turn.SetResult();
            await Task.WhenAny(answered, Task.Delay(wait, TimeProvider.System));
        }
    }
}
