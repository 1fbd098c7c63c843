using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Darkroom.Egress;

/// <summary>
/// Decides where outgoing requests may go. The decisive check happens when a connection is opened, on the very addresses that are
/// then dialled: a name is resolved once, and every address it resolves to must be public. Checking the URL's text only allows
/// an early refusal with a better message.
/// </summary>
public sealed class EgressGuard(IOptions<EgressOptions> options, INameResolver resolver, TimeProvider time)
{
    private const int MaxUrlLength = 8_192;

    /// <summary>Part of the time to connect in which a name must be resolved. Not all of it, so that a lookup that hangs is reported as one.</summary>
    private const double LookupShare = 0.8;

    /// <summary>Parses and checks the text of a URL. Null if it may be requested.</summary>
    public EgressRefusal? CheckUrl(string? text, out Uri? uri)
    {
        uri = null;
        if (string.IsNullOrWhiteSpace(text) || text.Length > MaxUrlLength || text.AsSpan().Trim().ContainsAnyInRange('\0', '\x1F') ||
            !Uri.TryCreate(text.Trim(), UriKind.Absolute, out var parsed))
            return new(EgressRefusalCodes.InvalidUrl, "This is not a URL.");
        var refusal = CheckUri(parsed);
        if (refusal is null)
            uri = parsed;
        return refusal;
    }

    /// <summary>
    /// Checks the parts of a URL: scheme, user info, port, and the host if it is a literal address. Null if it may be requested.
    /// </summary>
    public EgressRefusal? CheckUri(Uri uri)
    {
        if (!uri.IsAbsoluteUri)
            return new(EgressRefusalCodes.InvalidUrl, "This is not an absolute URL.");
        if (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps)
            return new(EgressRefusalCodes.ForbiddenScheme, "Only http and https URLs are fetched.");
        if (uri.UserInfo.Length > 0)
            return new(EgressRefusalCodes.InvalidUrl, "URLs with a user name or password are not fetched.");
        if (uri.HostNameType == UriHostNameType.Unknown || uri.IdnHost.Length == 0)
            return new(EgressRefusalCodes.InvalidUrl, "The URL names no host.");
        if (TryReadAddress(uri.IdnHost, out var address))
            return CheckAddress(address, uri.Port);
        if (IsLocalName(uri.IdnHost) && !options.Value.AllowLoopback)
            return ForbiddenAddress;
        // Loopback allows any port, and only the connection knows whether the name resolves to loopback.
        return options.Value.IsAllowedPort(uri.Port) || options.Value.AllowLoopback ? null : ForbiddenPort;
    }

    /// <summary>Checks one address before it is dialled. Null if it is allowed.</summary>
    public EgressRefusal? CheckAddress(IPAddress address, int port)
    {
        if (options.Value.AllowLoopback && AddressRules.IsLoopback(address))
            return null;
        if (!AddressRules.IsPublic(address))
            return ForbiddenAddress;
        return options.Value.IsAllowedPort(port) ? null : ForbiddenPort;
    }

    /// <summary>
    /// A handler whose connections all go through this guard. It follows no redirects, keeps no cookies, uses no proxy, sends no
    /// credentials and decompresses nothing.
    /// </summary>
    public SocketsHttpHandler CreateHandler() => new()
    {
        ConnectCallback = ConnectAsync,
        ConnectTimeout = options.Value.Connect,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        UseProxy = false,
        Credentials = null,
        PreAuthenticate = false,
        ActivityHeadersPropagator = null,
        MaxResponseHeadersLength = 32,
        MaxResponseDrainSize = 0,
        MaxConnectionsPerServer = options.Value.ConnectionsPerHost,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(15),
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
    };

    private static EgressRefusal ForbiddenAddress { get; } =
        new(EgressRefusalCodes.ForbiddenAddress, "The URL leads to an address that is not on the public internet.");

    private EgressRefusal ForbiddenPort => new(
        EgressRefusalCodes.ForbiddenPort,
        $"Only these ports are dialled: {string.Join(", ", options.Value.AdditionalPorts.Prepend(443).Prepend(80))}.");

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = TryReadAddress(host, out var literal) ? [literal] : await ResolveAsync(host, cancellationToken);
        foreach (var address in addresses)
            if (CheckAddress(address, port) is { } refusal)
                throw new EgressRefusedException(refusal);
        return await HappyEyeballsConnector.ConnectAsync(addresses, port, options.Value.NextAddressAfter, time, cancellationToken);
    }

    /// <summary>Every failure counts as an unknown host, so that it is not taken for one of the connection.</summary>
    private async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(LookupShare * options.Value.Connect, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            if (await resolver.ResolveAsync(host, either.Token) is { Length: > 0 } addresses)
                return addresses;
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // Reported below.
        }

        throw new SocketException((int)SocketError.HostNotFound);
    }

    /// <summary>Also recognises addresses that <see cref="Uri"/> takes for names: with a trailing dot or brackets.</summary>
    private static bool TryReadAddress(string host, [NotNullWhen(true)] out IPAddress? address) =>
        IPAddress.TryParse(host.TrimEnd('.'), out address);

    private static bool IsLocalName(string host)
    {
        var name = host.TrimEnd('.');
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase) ||
               name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
    }
}

/// <summary>Resolves host names; tests substitute their own DNS here.</summary>
public interface INameResolver
{
    Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken);
}

/// <summary>The operating system's resolver.</summary>
internal sealed class SystemNameResolver : INameResolver
{
    /// <summary>
    /// A lookup whose name server does not answer blocks its thread for as long as the system likes, and cannot be cancelled. So it has a
    /// thread of its own, which a caller that gives up leaves behind: in the pool, a few such names would hold up everything else.
    /// </summary>
    public Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) => Task.Factory
        .StartNew(
            () => Dns.GetHostAddresses(host), CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
            TaskScheduler.Default)
        .WaitAsync(cancellationToken);
}
