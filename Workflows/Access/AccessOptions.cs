using System.ComponentModel.DataAnnotations;

namespace Darkroom.Access;

/// <summary>Who may call the API, and how guessing keys is slowed down. Section <c>Access</c>.</summary>
public sealed class AccessOptions
{
    /// <summary>
    /// A key, <c>dk_&lt;prefix&gt;_&lt;secret&gt;</c>, that has every scope for the owner <c>development</c>. Default none. It works only
    /// in the Development environment, so copying this setting to production grants no access there.
    /// </summary>
    public string? DevelopmentKey { get; set; }

    /// <summary>
    /// How long a verified key is cached. Default 5 s. A revoked key still works in other processes for up to this time; 0 queries the
    /// database every time.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan Cache { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Bad keys per minute that one source address (IPv6: one /64) may send before further ones get 429. Default 20: more than anyone
    /// mistypes. Valid keys from the same address always work.
    /// </summary>
    [Range(1, 100_000)]
    public int BadKeysPerSource { get; set; } = 20;

    /// <summary>
    /// Bad keys per minute with the same public prefix, from any source, before further ones get 429. Default 20. The valid key with this
    /// prefix always works.
    /// </summary>
    [Range(1, 100_000)]
    public int BadKeysPerPrefix { get; set; } = 20;

    /// <summary>
    /// Keys that one process looks up in the database at once; default 8: a lookup takes a millisecond. Further ones wait, so that a
    /// crowd of callers with new or bad keys leaves connections to those whose keys are cached.
    /// </summary>
    [Range(1, 1_000)]
    public int ConcurrentLookups { get; set; } = 8;
}
