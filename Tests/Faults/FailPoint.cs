namespace Darkroom.Tests.Faults;

/// <summary>A moment between an effect and what records it: a message between the product and a store, and the side of it.</summary>
/// <param name="Name">What has happened by then, and what has not.</param>
/// <param name="Statement">Text of the Postgres exchange, or null.</param>
/// <param name="Object">Part of the key of a stored object, or null.</param>
/// <param name="IsAfter">Whether the store executes the message before the process dies.</param>
internal sealed record FailPoint(string Name, string? Statement, string? Object, bool IsAfter)
{
    /// <summary>The gaps of a worker, in the order in which a request passes them.</summary>
    public static IReadOnlyList<FailPoint> OfWorker { get; } =
    [
        .. Around("load", "insert into images"),
        .. Around("fan-out", "fan_out_open = true"),
        new("feed: offered, not pushed", "set state = 'offered'", null, IsAfter: true),
        .. Around("claim", "with claimable as"),
        .. AroundObject("store", "/images/"),
        .. Around("record", "with outcome as"),
        .. AroundObject("output CSV", "/output-"),
        .. Around("publish", "set output_path"),
        .. Around("end", "insert into webhook_deliveries"),
        .. Around("webhook", "insert into webhook_attempts"),
    ];

    /// <summary>Completes at this point of whatever process is running, after <paramref name="kill"/>. The message's answer never arrives.</summary>
    public async Task StrikeAsync(FaultLab lab, int occurrence, Func<Task> kill)
    {
        var struck = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var seen = 0;

        async Task<bool> StrikesAsync(bool isMatch)
        {
            if (!isMatch || Interlocked.Increment(ref seen) != occurrence)
                return false;
            await kill();
            struck.TrySetResult();
            return true;
        }

        bool IsStatement(string text) =>
            Statement is not null && text.Contains(Statement, StringComparison.Ordinal) && (IsOwnExchange || text.StartsWith("COMMIT", StringComparison.Ordinal));
        bool IsObject(S3Request request) =>
            Object is not null && request.Method is ("PUT" or "POST") && request.Path.Contains(Object, StringComparison.Ordinal);

        if (IsAfter)
        {
            lab.Postgres.After = async (text, fault) => await StrikesAsync(IsStatement(text)) ? FaultKind.CutAfter : fault;
            lab.S3.After = request => StrikesAsync(IsObject(request));
        }
        else
        {
            lab.Postgres.Before = async text => await StrikesAsync(IsStatement(text)) ? FaultKind.CutBefore : FaultKind.None;
            lab.S3.Before = async request => await StrikesAsync(IsObject(request)) ? FaultKind.CutBefore : FaultKind.None;
        }

        await struck.Task.WaitAsync(TimeSpan.FromSeconds(90));
        (lab.Postgres.Before, lab.Postgres.After, lab.S3.Before, lab.S3.After) = (null, null, null, null);
    }

    public override string ToString() => Name;

    /// <summary>Claims and outcomes are single statements; everything else is part of a transaction, whose commit is the effect.</summary>
    private bool IsOwnExchange => Statement!.StartsWith("with ", StringComparison.Ordinal);

    private static IEnumerable<FailPoint> Around(string name, string statement) =>
        [new($"{name}: before the commit", statement, null, IsAfter: false), new($"{name}: committed, not answered", statement, null, IsAfter: true)];

    private static IEnumerable<FailPoint> AroundObject(string name, string key) =>
        [new($"{name}: before the object", null, key, IsAfter: false), new($"{name}: stored, not recorded", null, key, IsAfter: true)];
}
