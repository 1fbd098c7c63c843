using System.ComponentModel.DataAnnotations;

namespace Darkroom.Api.RateLimits;

/// <summary>
/// Section <c>RateLimit</c>: how fast one API key may call the API. Studio's sessions count towards the key they were opened with. Image
/// links, pages, health and signing out need no key and are not limited here.
/// </summary>
internal sealed class RateLimitOptions
{
    public const string Section = "RateLimit";

    private const string NotOff = "The field {0} must be between {1} and {2}. RateLimit:Enabled=false turns the limit off.";

    /// <summary>Whether calls are limited. Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// Calls per minute of one key, sustained. Default 6,000: a program that polls the status of 200 requests every 2 s, as it is asked to.
    /// Uploads cost no more than other calls, because <c>Upload:MaxConcurrentPerOwner</c> limits them.
    /// </summary>
    [Range(1, 1_000_000, ErrorMessage = NotOff)]
    public int RequestsPerMinute { get; set; } = 6_000;

    /// <summary>
    /// Calls that a key which has been idle may make at once, as fast as it can. Default 1,500: a quarter of a minute's calls.
    /// </summary>
    [Range(1, 1_000_000, ErrorMessage = NotOff)]
    public int Burst { get; set; } = 1_500;

    /// <summary>
    /// Longest Retry-After of a refused call, if its bucket refills sooner. Refused callers are told to come back one after another; default
    /// 30 s, so that those whom a crowd has delayed are soon back after it has gone.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Calls of one owner that are worked on at once in one process; default 2: enough for the sustained rate even if each takes 20 ms, and few
    /// enough that others' calls beside them hardly wait, even on two cores. As many again may be uploads and downloads: a download counts until
    /// its file begins to flow, an upload for <c>Upload:Turn</c>.
    /// </summary>
    [Range(1, 10_000, ErrorMessage = NotOff)]
    public int ConcurrentPerOwner { get; set; } = 2;

    /// <summary>
    /// Calls of one owner that wait for those, and as many for its uploads and downloads; default 100: they have their turn before
    /// <c>Requests:QueryTimeout</c> ends. Further ones are refused.
    /// </summary>
    [Range(0, 1_000_000)]
    public int WaitingPerOwner { get; set; } = 100;

    /// <summary>
    /// How long a call waits for Redis, which counts for all processes. Default 100 ms, many times what Redis needs. After one call has
    /// waited that long, this process counts by itself until Redis responds again.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:02")]
    public TimeSpan RedisTimeout { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How often Redis is tried again while it does not respond. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan RedisRetry { get; set; } = TimeSpan.FromSeconds(1);
}
