using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Darkroom.Data;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Darkroom.Queue;

/// <summary>
/// The ids of claimable images, in Redis. The queue is only a hint: it may be wiped at any moment and is then refilled from Postgres,
/// and a popped id means nothing until the claim in Postgres succeeds.
/// </summary>
/// <remarks>All keys share one hash tag, and every script declares every key it touches, so the same scripts run on a cluster and on
/// servers that lock only the declared keys.</remarks>
[SuppressMessage("Naming", "CA1711", Justification = "It is a queue; the rule reserves the word for collections.")]
public sealed partial class ImageQueue
{
    private const int PushSlice = 500;

    private static readonly RedisKey Gate = "{darkroom}:gate";
    private static readonly RedisKey Images = "{darkroom}:images:queue";
    private static readonly RedisKey Owners = "{darkroom}:images:owners";
    private static readonly RedisKey Lines = "{darkroom}:images:lines";
    private static readonly RedisKey Rings = "{darkroom}:images:rings";
    private static readonly RedisKey Epoch = "{darkroom}:images:epoch";
    private static readonly RedisKey Checked = "{darkroom}:images:checked";
    private static readonly RedisChannel Queued = RedisChannel.Literal("{darkroom}:images:wake");

    private static readonly EmbeddedScript Push = new(typeof(ImageQueue), "push");
    private static readonly EmbeddedScript Pop = new(typeof(ImageQueue), "pop");
    private static readonly EmbeddedScript Remove = new(typeof(ImageQueue), "remove");
    private static readonly EmbeddedScript Settle = new(typeof(ImageQueue), "settle");

    private readonly IConnectionMultiplexer _redis;
    private readonly QueueOptions _options;
    private readonly AsyncAutoResetEvent _work;
    private readonly ILogger<ImageQueue> _logger;
    private int _subscribed;

    public ImageQueue(IConnectionMultiplexer redis, TimeProvider time, IOptions<QueueOptions> options, ILogger<ImageQueue> logger)
    {
        _redis = redis;
        _options = options.Value;
        _logger = logger;
        _work = new AsyncAutoResetEvent(time);
    }

    private IDatabase Database => _redis.GetDatabase();

    /// <summary>Queues images of a request in the given order. Images already queued keep their place.</summary>
    public async Task PushAsync(OwnerId owner, RequestId request, IReadOnlyCollection<ImageId> images)
    {
        foreach (var slice in images.Chunk(PushSlice))
            await RunAsync(
                Push, [Gate, Images, Owners, Lines, Rings],
                [owner.ToString(), request.ToString(), (string)Queued!, .. slice.Select(Value)]);
    }

    /// <summary>
    /// Pops up to as many ids as there are free places, in turn over owners and then over their requests. An owner gets no more than its
    /// equal share of the places and what it may borrow: any free place but the last quarter.
    /// </summary>
    public async Task<PopResult> PopAsync(PlaceUsage places)
    {
        var arguments = new List<RedisValue>(3 + (2 * places.Held.Count)) { places.Free, places.Total, places.PerOwner };
        foreach (var (owner, held) in places.Held)
            arguments.AddRange([owner.ToString(), held]);
        var popped = (RedisResult[])(await RunAsync(Pop, [Gate, Images, Owners, Lines, Rings], [.. arguments]))!;
        return new PopResult(
            [.. popped.Skip(2).Select(id => new ImageId(long.Parse((string)id!, CultureInfo.InvariantCulture)))], (int)popped[0], (int)popped[1]);
    }

    /// <summary>Removes a request's images from the queue. Only an optimisation: claiming them would fail anyway.</summary>
    public Task RemoveAsync(OwnerId owner, RequestId request) =>
        RunAsync(Remove, [Gate, Images, Lines, Rings], [owner.ToString(), request.ToString()]);

    /// <summary>How many ids are queued.</summary>
    public Task<long> CountAsync() => Database.HashLengthAsync(Images);

    /// <summary>Which of these images are not queued.</summary>
    public async Task<IReadOnlyList<ImageId>> FindMissingAsync(IReadOnlyList<ImageId> images)
    {
        var following = await Database.HashGetAsync(Images, [.. images.Select(Value)]);
        return [.. images.Where((_, i) => following[i].IsNull)];
    }

    /// <summary>Whether this process is to check for lost ids now: one of all does, once in a period.</summary>
    public Task<bool> TryBeginCheckAsync(TimeSpan period) => Database.StringSetAsync(Checked, "1", period, When.NotExists);

    /// <summary>
    /// Starts a rebuild if the queue has lost its contents (a flush, a restart, a failover to an empty server) and no other process is
    /// rebuilding it. Returns the mark to pass to <see cref="SettleAsync"/>, or null. The mark expires, in case this process dies.
    /// </summary>
    public async Task<string?> TryBeginRebuildAsync(TimeSpan expiry)
    {
        var mark = $"rebuilding:{Guid.NewGuid():N}";
        if (await Database.StringSetAsync(Epoch, mark, expiry, When.NotExists))
            return mark;
        if (await Database.KeyTypeAsync(Epoch) is RedisType.String or RedisType.None)
            return null;
        // Whatever another program has put there would hide every loss of data.
        await ResetAsync(null);
        return await Database.StringSetAsync(Epoch, mark, expiry, When.NotExists) ? mark : null;
    }

    /// <summary>Completes a rebuild. False if the queue was emptied again meanwhile, so the rebuild must be restarted.</summary>
    public async Task<bool> SettleAsync(string mark) =>
        (int)await RunAsync(Settle, [Gate, Epoch], [mark, $"{Guid.NewGuid():N}"]) == 1;

    /// <summary>Ends the current or next <see cref="WaitForWorkAsync"/>, because this process has room for more.</summary>
    public void Wake() => _work.Set();

    /// <summary>Returns when images have been queued since the last call, or after the poll interval, whichever comes first.</summary>
    public async Task WaitForWorkAsync(CancellationToken cancellationToken)
    {
        await SubscribeAsync();
        await _work.WaitAsync(_options.ClaimPoll, cancellationToken);
    }

    /// <summary>The server's <c>maxmemory-policy</c>, or null if it does not report one.</summary>
    public async Task<string?> ReadEvictionPolicyAsync()
    {
        try
        {
            var memory = (string?)await Database.ExecuteAsync("INFO", "memory");
            const string field = "maxmemory_policy:";
            return memory?.Split('\n').FirstOrDefault(line => line.StartsWith(field, StringComparison.Ordinal))?[field.Length..].Trim();
        }
        catch (RedisServerException)
        {
            return null;
        }
    }

    private async Task<RedisResult> RunAsync(EmbeddedScript script, RedisKey[] keys, RedisValue[] arguments)
    {
        try
        {
            return await script.RunAsync(Database, keys, arguments);
        }
        catch (RedisServerException e) when (e.Message.Contains("WRONGTYPE", StringComparison.Ordinal))
        {
            await ResetAsync(e);
            throw;
        }
    }

    /// <summary>Deletes the queue's keys. Without the epoch, everything that is offered is pushed again.</summary>
    private async Task ResetAsync(Exception? exception)
    {
        LogWrongType(exception);
        await Database.KeyDeleteAsync([Images, Owners, Lines, Rings, Epoch]);
    }

    private async Task SubscribeAsync()
    {
        if (Interlocked.Exchange(ref _subscribed, 1) == 1)
            return;
        try
        {
            // The client resubscribes by itself whenever it reconnects.
            await _redis.GetSubscriber().SubscribeAsync(Queued, (_, _) => _work.Set());
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            // Redis is unavailable: rely on polling until it recovers. Every wait tries to subscribe again.
            Volatile.Write(ref _subscribed, 0);
        }
    }

    private static RedisValue Value(ImageId image) => image.Value;

    [LoggerMessage(Level = LogLevel.Error, Message = "Another program has overwritten a key of the image queue; deleting its keys, so that it is rebuilt")]
    private partial void LogWrongType(Exception? exception);
}
