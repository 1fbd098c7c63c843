using Microsoft.Extensions.Configuration;

namespace Darkroom.Configuration;

/// <summary>Settings that were renamed. An old name would be silently ignored, so it is rejected with a hint at the new one.</summary>
internal static class RenamedSettings
{
    public static readonly IReadOnlyList<(string Section, string Old, string New)> All =
    [
        ("Access", "CacheSeconds", "Cache"),
        ("Egress", "HostWaitSeconds", "HostWait"),
        ("Egress", "ConnectSeconds", "Connect"),
        ("Egress", "HeaderSeconds", "Headers"),
        ("Egress", "TotalSeconds", "Total"),
        ("Egress", "MinRateAfterSeconds", "MinRateAfter"),
        ("Egress", "MaxRetryAfterSeconds", "MaxRetryAfter"),
        ("Egress", "NextAddressAfterMilliseconds", "NextAddressAfter"),
        ("Engine", "FirstRetrySeconds", "FirstRetryDelay"),
        ("Engine", "LongestRetrySeconds", "MaxRetryDelay"),
        ("Engine", "PollSeconds", "Poll"),
        ("Expressions", "TimeoutMilliseconds", "Timeout"),
        ("HttpRequests", "TimeoutSeconds", "Timeout"),
        ("ImageWork", "StopSeconds", "Stop"),
        ("ImageWork", "InHand", "Concurrency"),
        ("ImageWork", "FirstRetrySeconds", "FirstRetryDelay"),
        ("ImageWork", "LongestRetrySeconds", "MaxRetryDelay"),
        ("Images", "CodecSeconds", "CodecTime"),
        ("Lease", "DurationSeconds", "Duration"),
        ("Lease", "HeartbeatSeconds", "Heartbeat"),
        ("Lease", "ScanSeconds", "Scan"),
        ("Links", "RedirectSeconds", "Redirect"),
        ("ObjectSweep", "AfterHours", "After"),
        ("ObjectSweep", "EveryMinutes", "Every"),
        ("Queue", "FeedMilliseconds", "Feed"),
        ("Queue", "IdleSeconds", "Idle"),
        ("Queue", "StaleOfferSeconds", "StaleOffer"),
        ("Queue", "ClaimPollSeconds", "ClaimPoll"),
        ("Queue", "RecordLingerMilliseconds", "RecordLinger"),
        ("Requests", "PollSeconds", "PollAfter"),
        ("Requests", "QueryTimeoutSeconds", "QueryTimeout"),
        ("Requests", "StorageTimeoutSeconds", "StorageTimeout"),
        ("Requests", "ChangeAnswerSeconds", "ChangeResponse"),
        ("Requests", "ChangeSeconds", "Change"),
        ("Retention", "JournalDays", "JournalAge"),
        ("Retention", "ScanMinutes", "Scan"),
        ("Server", "HeaderTimeoutSeconds", "HeaderTimeout"),
        ("Server", "KeepAliveSeconds", "KeepAlive"),
        ("Storage", "TrySeconds", "Try"),
        ("Studio", "SessionHours", "Session"),
        ("Studio", "LongestSessionHours", "MaxSession"),
        ("UploadSweep", "EverySeconds", "Every"),
        ("UploadSweep", "KeepAnswersHours", "IdempotencyRetention"),
        ("Webhooks", "SecretOverlapHours", "SecretOverlap"),
        ("Webhooks", "TimeoutSeconds", "Timeout"),
        ("Webhooks", "ConnectTimeoutSeconds", "ConnectTimeout"),
        ("Webhooks", "PollSeconds", "Poll"),
        ("Webhooks", "MaxRetryAfterHours", "MaxRetryAfter"),
        ("Webhooks", "DrainSeconds", "Drain"),
    ];

    /// <summary>Describes each renamed property of <paramref name="options"/> that is still set under its old name.</summary>
    public static IEnumerable<string> Problems(object options, IConfigurationSection section) =>
        from renamed in All
        where renamed.Section == section.Path && section[renamed.Old] is not null
        let property = options.GetType().GetProperty(renamed.New)
        where property is not null
        select $"{section.Path}:{renamed.Old} is now {section.Path}:{renamed.New}{(Durations.IsDuration(property) ? $", {Durations.HowToWrite(options, property)}" : "")}.";
}
