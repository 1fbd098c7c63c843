using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Sockets;

namespace Darkroom.Api.Server;

/// <summary>Section <c>Server</c>: limits of the HTTP server.</summary>
internal sealed class ServerOptions : IValidatableObject
{
    public const string Section = "Server";

    /// <summary>
    /// Largest request body other than an upload, in bytes. Default 4 MiB: enough for workflow definitions, the largest of them.
    /// </summary>
    [Range(1024, 1024L * 1024 * 1024)]
    public long MaxBodyBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>Total size of all request headers, in bytes. Default 16 KiB: far more than an API key and what proxies add.</summary>
    [Range(1024, 1024 * 1024)]
    public int MaxHeaderBytes { get; set; } = 16 * 1024;

    /// <summary>Time for the request headers to arrive. Default 10 s: cuts off clients that send them one byte at a time.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan HeaderTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long an idle connection is kept open. Default 130 s: longer than the two minutes after which load balancers close theirs.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan KeepAlive { get; set; } = TimeSpan.FromSeconds(130);

    /// <summary>
    /// Slowest accepted rate of a request body, in bytes per second. Default 4,096, after a grace period of 10 s: even a phone is faster, and
    /// clients that are slow on purpose should not hold an upload slot for long.
    /// </summary>
    [Range(1, 1024 * 1024)]
    public double MinBytesPerSecond { get; set; } = 4 * 1024;

    /// <summary>Concurrent connections. Default 10,000: about as many as a process has file handles for.</summary>
    [Range(1, 1_000_000)]
    public long MaxConnections { get; set; } = 10_000;

    /// <summary>
    /// Reverse proxies whose <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> are trusted: addresses or networks
    /// (<c>192.0.2.7 10.0.0.0/8</c>), separated by spaces. Default none, because anyone can send these headers. Behind a proxy that is
    /// not listed, all clients count as one source of bad keys.
    /// </summary>
    public string TrustedProxies { get; set; } = "";

    /// <summary>The networks of <see cref="TrustedProxies"/>; a single address is a network of one.</summary>
    internal IEnumerable<IPNetwork> TrustedNetworks => Proxies.Select(Network).OfType<IPNetwork>();

    private string[] Proxies => TrustedProxies.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var proxy in Proxies.Where(proxy => Network(proxy) is null))
            yield return new ValidationResult(
                $"Server:TrustedProxies: {proxy} is neither an address, such as 192.0.2.7, nor a network, such as 10.0.0.0/8. " +
                "Separate several with spaces.");
    }

    private static IPNetwork? Network(string text)
    {
        if (IPNetwork.TryParse(text, out var network))
            return network;
        if (!IPAddress.TryParse(text, out var address))
            return null;
        return new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
    }
}
