using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Sockets;

namespace Darkroom.Api.Server;

/// <summary>Section <c>Server</c>: what one client may ask of the HTTP server itself.</summary>
internal sealed class ServerOptions : IValidatableObject
{
    public const string Section = "Server";

    /// <summary>Largest body of a call other than an upload, bytes. Default 4 MiB: workflow definitions are the largest of them.</summary>
    [Range(1024, 1024L * 1024 * 1024)]
    public long MaxBodyBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>All headers of a call together, bytes. Default 16 KiB: a key, a cursor and what proxies add are far less.</summary>
    [Range(1024, 1024 * 1024)]
    public int MaxHeaderBytes { get; set; } = 16 * 1024;

    /// <summary>Time for the headers to arrive. Default 10 s: a connection that dribbles them in is not a client.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan HeaderTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an idle connection is kept. Default 130 s: longer than the two minutes after which load balancers drop theirs.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan KeepAlive { get; set; } = TimeSpan.FromSeconds(130);

    /// <summary>Slowest upload that is still waited for, bytes a second. Default 1,024, after a grace of 10 seconds: a phone does more.</summary>
    [Range(1, 1024 * 1024)]
    public double MinBytesPerSecond { get; set; } = 1024;

    /// <summary>Connections at once. Default 10,000; a process has about as many file handles to give.</summary>
    [Range(1, 1_000_000)]
    public long MaxConnections { get; set; } = 10_000;

    /// <summary>
    /// Reverse proxies whose <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> are trusted: addresses or networks
    /// (<c>192.0.2.7 10.0.0.0/8</c>), separated by blanks. Default none: anybody can send these headers. Behind a proxy that is not
    /// named here, all clients together are one source of bad keys.
    /// </summary>
    public string TrustedProxies { get; set; } = "";

    /// <summary>The networks of <see cref="TrustedProxies"/>; an address is a network of one.</summary>
    internal IEnumerable<IPNetwork> TrustedNetworks => Proxies.Select(Network).OfType<IPNetwork>();

    private string[] Proxies => TrustedProxies.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var proxy in Proxies.Where(proxy => Network(proxy) is null))
            yield return new ValidationResult(
                $"Server:TrustedProxies: {proxy} is neither an address, such as 192.0.2.7, nor a network, such as 10.0.0.0/8. Several are separated by blanks.");
    }

    private static IPNetwork? Network(string text)
    {
        if (IPNetwork.TryParse(text, out var network)) return network;
        if (!IPAddress.TryParse(text, out var address)) return null;
        return new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
    }
}
