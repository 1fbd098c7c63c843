using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Darkroom.AppHost.Storage;

/// <summary>
/// The bucket, key and query parameters of a request. Parsed from the raw request line, because the server's path is already
/// normalized and <c>a/../b</c> is a valid key.
/// </summary>
internal sealed class S3Target
{
    private const int MaxKeyBytes = 1024;

    private S3Target(string path, string bucket, string text, List<KeyValuePair<string, string>> query)
    {
        Path = path;
        Bucket = bucket;
        KeyText = text;
        Key = KeyBytes.From(text);
        Query = query;
    }

    /// <summary>The decoded path, as covered by the signature.</summary>
    public string Path { get; }

    public string Bucket { get; }

    /// <summary>The key with one char per byte (see <see cref="KeyBytes"/>); empty if the request is for the bucket itself.</summary>
    public string Key { get; }

    public string KeyText { get; }

    public List<KeyValuePair<string, string>> Query { get; }

    /// <summary>A query parameter: null if absent, empty if it has no value.</summary>
    public string? this[string name]
    {
        get
        {
            foreach (var (key, value) in Query)
                if (key == name)
                    return value;
            return null;
        }
    }

    public static S3Target Parse(HttpRequest request)
    {
        var raw = request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (!raw.StartsWith('/'))
            throw S3Error.InvalidRequest("The request target must be a path.");
        var question = raw.IndexOf('?', StringComparison.Ordinal);
        var path = Uri.UnescapeDataString(question < 0 ? raw : raw[..question]);
        var slash = path.IndexOf('/', 1);
        var key = slash < 0 ? "" : path[(slash + 1)..];
        if (Encoding.UTF8.GetByteCount(key) > MaxKeyBytes)
            throw new S3Error(400, "KeyTooLongError", "Your key is too long.");
        return new S3Target(path, slash < 0 ? path[1..] : path[1..slash], key, ReadQuery(question < 0 ? "" : raw[(question + 1)..]));
    }

    private static List<KeyValuePair<string, string>> ReadQuery(string raw)
    {
        var query = new List<KeyValuePair<string, string>>();
        foreach (var pair in raw.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            query.Add(equals < 0
                ? new(Uri.UnescapeDataString(pair), "")
                : new(Uri.UnescapeDataString(pair[..equals]), Uri.UnescapeDataString(pair[(equals + 1)..])));
        }

        return query;
    }
}
