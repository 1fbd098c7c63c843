using System.ComponentModel.DataAnnotations;

namespace Darkroom.Storage;

/// <summary>Timeouts and retries for the object store. Section <c>Storage</c>; its address is in <c>ConnectionStrings:s3</c>.</summary>
public sealed class ObjectStoreOptions
{
    /// <summary>
    /// Timeout of one attempt without progress: until the response headers, and again for each read of the body. Default 10 s. A part of
    /// 5 MiB must be sent within this time, which takes 4 Mbit/s; raise it on slower connections.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan Try { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The HTTP proxy on the way to the store, such as <c>http://proxy.example.com:3128</c>. Default none. <c>HTTP_PROXY</c> and
    /// <c>HTTPS_PROXY</c> have no effect: they are often set for package downloads, and a store on this machine or network must not depend
    /// on them.
    /// </summary>
    [Url]
    public string? Proxy { get; set; }

    /// <summary>Retries after a transient error, with jittered back-off. Default 4: at ten seconds each, about a minute in total.</summary>
    [Range(0, 20)]
    public int Retries { get; set; } = 4;
}
