using Microsoft.Extensions.Configuration;

namespace Darkroom.Configuration;

/// <summary>Settings by their old names. Under one of these a setting would be ignored without a word, so it is refused with its new name.</summary>
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
        ("Engine", "FirstRetrySeconds", "FirstRetry"),
        ("Engine", "LongestRetrySeconds", "LongestRetry"),
        ("Engine", "PollSeconds", "Poll"),
        ("Expressions", "TimeoutMilliseconds", "Timeout"),
        ("HttpRequests", "TimeoutSeconds", "Timeout"),
        ("ImageWork", "StopSeconds", "Stop"),
        ("ImageWork", "FirstRetrySeconds", "FirstRetry"),
        ("ImageWork", "LongestRetrySeconds", "LongestRetry"),
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
        ("Requests", "ChangeAnswerSeconds", "ChangeAnswer"),
        ("Requests", "ChangeSeconds", "Change"),
        ("Retention", "JournalDays", "JournalAge"),
        ("Retention", "ScanMinutes", "Scan"),
        ("Server", "HeaderTimeoutSeconds", "HeaderTimeout"),
        ("Server", "KeepAliveSeconds", "KeepAlive"),
        ("Storage", "TrySeconds", "Try"),
        ("Studio", "SessionHours", "Session"),
        ("Studio", "LongestSessionHours", "LongestSession"),
        ("UploadSweep", "EverySeconds", "Every"),
        ("UploadSweep", "KeepAnswersHours", "KeepAnswers"),
        ("Webhooks", "SecretOverlapHours", "SecretOverlap"),
        ("Webhooks", "TimeoutSeconds", "Timeout"),
        ("Webhooks", "ConnectTimeoutSeconds", "ConnectTimeout"),
        ("Webhooks", "PollSeconds", "Poll"),
        ("Webhooks", "MaxRetryAfterHours", "MaxRetryAfter"),
        ("Webhooks", "DrainSeconds", "Drain"),
    ];

    /// <summary>What is set under an old name, of those properties of <paramref name="options"/> that were renamed.</summary>
    public static IEnumerable<string> Problems(object options, IConfigurationSection section) =>
        from renamed in All
        where renamed.Section == section.Path && section[renamed.Old] is not null
        let property = options.GetType().GetProperty(renamed.New)
        where property is not null
        select $"{section.Path}:{renamed.Old} is now {section.Path}:{renamed.New}{(Durations.IsDuration(property) ? $", {Durations.HowToWrite(options, property)}" : "")}.";
}
