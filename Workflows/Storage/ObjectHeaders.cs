namespace Darkroom.Storage;

/// <summary>The headers an object is stored with, chosen by content type; the bucket serves it with them.</summary>
internal static class ObjectHeaders
{
    /// <summary>SHA-256 of a request's body, in hex, as its signature covers it. Given, the SDK does not compute it again.</summary>
    public const string PayloadHash = "x-amz-content-sha256";

    /// <summary>
    /// Image types that cannot contain script are shown inline; everything else is downloaded, so that no content from a customer's
    /// server ever becomes a page on the store's origin.
    /// </summary>
    public static string Disposition(string key, string contentType) =>
        IsImage(contentType) ? Named("inline", key[(key.LastIndexOf('/') + 1)..]) : Attachment(key[(key.LastIndexOf('/') + 1)..]);

    public static string Attachment(string name) => Named("attachment", name);

    /// <summary>An image's key contains the hash of its bytes, so the object never changes; a CSV is private to its owner.</summary>
    public static string CacheControl(string contentType) =>
        IsImage(contentType) ? "public, max-age=31536000, immutable" : "private, no-cache";

    // Headers are ASCII and a quote would end the name, so names with other characters are percent-encoded (RFC 6266).
    private static string Named(string kind, string name) =>
        name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            ? $"{kind}; filename=\"{name}\""
            : $"{kind}; filename*=UTF-8''{Uri.EscapeDataString(name)}";

    private static bool IsImage(string contentType) =>
        contentType is "image/jpeg" or "image/png" or "image/webp" or "image/gif" or "image/tiff" or "image/avif";
}
