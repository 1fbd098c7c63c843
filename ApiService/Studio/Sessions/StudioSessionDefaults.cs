namespace Darkroom.Api.Studio.Sessions;

public static class StudioSessionDefaults
{
    /// <summary>The authentication scheme of a browser that is signed in to Studio.</summary>
    public const string Scheme = "StudioSession";

    /// <summary>The scheme that chooses: an API key if the call brings one, else Studio's session where Studio calls.</summary>
    public const string KeyOrSession = "KeyOrStudioSession";

    public const string Cookie = "darkroom-studio";

    // Nowhere else is the cookie looked at: the rest of the API knows keys alone, and Studio's own files need no question to the database.
    private static readonly PathString[] Places = ["/elsa", "/studio/session", "/studio/workflows"];

    internal static bool Applies(HttpRequest request) =>
        request.Headers.Authorization.Count == 0
        && request.Cookies.ContainsKey(Cookie)
        && Places.Any(place => request.Path.StartsWithSegments(place, StringComparison.OrdinalIgnoreCase));
}
