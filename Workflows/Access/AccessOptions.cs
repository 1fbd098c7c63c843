using System.ComponentModel.DataAnnotations;

namespace Darkroom.Access;

/// <summary>Who may call the API, and how guesses are slowed. Section <c>Access</c>.</summary>
public sealed class AccessOptions
{
    /// <summary>
    /// A key, <c>dk_&lt;prefix&gt;_&lt;secret&gt;</c>, that is given every scope for the owner <c>development</c>. Default none. Honoured in the
    /// Development environment only, so that a configuration carried into production opens nothing there.
    /// </summary>
    public string? DevelopmentKey { get; set; }

    /// <summary>
    /// How long a verified key is believed without asking the database. Default 5 s. It bounds how long a revoked key still
    /// works in the other processes; 0 asks every time.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan Cache { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Bad keys that one source address (IPv6: one /64) may send in a minute before it is answered 429. Default 20.</summary>
    [Range(1, 100_000)]
    public int BadKeysPerSource { get; set; } = 20;

    /// <summary>Bad keys with one public prefix, from whatever source, in a minute before they are answered 429. Default 20.</summary>
    [Range(1, 100_000)]
    public int BadKeysPerPrefix { get; set; } = 20;
}
