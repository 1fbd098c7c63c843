using Microsoft.Net.Http.Headers;

namespace Darkroom.Api.Studio.Sessions;

/// <summary>
/// Whether a call that a cookie speaks for comes from our own pages. <c>SameSite</c> keeps strangers out but not a neighbour under the same
/// domain, nor another port of this host.
/// </summary>
internal static class SameOrigin
{
    /// <summary>Calls that change nothing need no proof, and a page reads an answer only if it is of our origin.</summary>
    public static bool Proven(HttpRequest request) => IsHarmless(request) || Said(request);

    private static bool IsHarmless(HttpRequest request) =>
        (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method))
        // A WebSocket opens by GET, and a page of any origin may read what comes through.
        && !request.Headers.Upgrade.ToString().Contains("websocket", StringComparison.OrdinalIgnoreCase);

    private static bool Said(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site)
            return site.Equals("same-origin", StringComparison.OrdinalIgnoreCase);

        // Browsers leave that header out on plain HTTP. Compared without the scheme: what ends TLS before us may speak HTTP to us.
        return Uri.TryCreate(request.Headers[HeaderNames.Origin], UriKind.Absolute, out var origin)
            && Authority(origin).Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }

    private static string Authority(Uri origin) => origin.IsDefaultPort ? origin.Host : $"{origin.Host}:{origin.Port}";
}
