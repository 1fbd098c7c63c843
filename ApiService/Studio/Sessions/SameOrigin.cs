using Microsoft.Net.Http.Headers;

namespace Darkroom.Api.Studio.Sessions;

/// <summary>
/// Checks that a call authenticated by cookie comes from our own pages. <c>SameSite</c> cookies alone do not stop a sibling subdomain or
/// another port of this host.
/// </summary>
internal static class SameOrigin
{
    /// <summary>Safe methods are always allowed: they change nothing, and browsers do not let another origin read the response.</summary>
    public static bool Allows(HttpRequest request) => IsSafe(request) || HasOwnOrigin(request);

    private static bool IsSafe(HttpRequest request) =>
        (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method))
        // A WebSocket is opened by GET, and browsers let any origin read from it.
        && !request.Headers.Upgrade.ToString().Contains("websocket", StringComparison.OrdinalIgnoreCase);

    private static bool HasOwnOrigin(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site)
            return site.Equals("same-origin", StringComparison.OrdinalIgnoreCase);

        // Browsers omit Sec-Fetch-Site on plain HTTP. The scheme is not compared: a proxy that terminates TLS may call us over HTTP.
        return Uri.TryCreate(request.Headers[HeaderNames.Origin], UriKind.Absolute, out var origin)
            && Authority(origin).Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }

    private static string Authority(Uri origin) => origin.IsDefaultPort ? origin.Host : $"{origin.Host}:{origin.Port}";
}
