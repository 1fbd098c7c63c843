namespace Darkroom.Storage;

/// <summary>How an object is served by whoever serves the bucket, decided by its type alone.</summary>
internal static class ObjectHeaders
{
    /// <summary>
    /// Images that no browser runs script from are shown; whatever else is downloaded, so that nothing a customer's server sent
    /// us is ever a page on the store's origin.
    /// </summary>
    public static string Disposition(string key, string contentType) =>
        IsImage(contentType) ? Named("inline", key[(key.LastIndexOf('/') + 1)..]) : Attachment(key[(key.LastIndexOf('/') + 1)..]);

    public static string Attachment(string name) => Named("attachment", name);

    /// <summary>An image's key carries the hash of its bytes, so it never changes; a CSV is its owner's alone.</summary>
    public static string CacheControl(string contentType) =>
        IsImage(contentType) ? "public, max-age=31536000, immutable" : "private, no-cache";

    // A header is ASCII and quotes end at quotes: whatever is not plain goes escaped.
    private static string Named(string kind, string name) =>
        name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            ? $"{kind}; filename=\"{name}\""
            : $"{kind}; filename*=UTF-8''{Uri.EscapeDataString(name)}";

    private static bool IsImage(string contentType) =>
        contentType is "image/jpeg" or "image/png" or "image/webp" or "image/gif" or "image/tiff" or "image/avif";
}
