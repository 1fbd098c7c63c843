using System.ComponentModel.DataAnnotations;

namespace Darkroom.Storage;

/// <summary>How patient we are with the object store. Section <c>Storage</c>; where it is comes from <c>ConnectionStrings:s3</c>.</summary>
public sealed class ObjectStoreOptions
{
    /// <summary>
    /// Longest silence of one try: until the answer's head, and again for each piece of its body. A part of 5 MiB must
    /// pass in it, so it wants 4 Mbit/s; raise it on slower lines. Default 10 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan Try { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Tries after the first, with jittered back-off, for errors that may pass. With ten seconds each: about a minute in all.</summary>
    [Range(0, 20)]
    public int Retries { get; set; } = 4;
}
